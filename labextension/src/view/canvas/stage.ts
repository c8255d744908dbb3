/** The stage: a canvas one can pan, zoom and point at. It knows the scene, and nothing of the kernel. */

import { measured } from "../measure.js";
import type { Palette } from "../theme.js";
import type { Rect } from "../layout/types.js";
import { between, centered, fitted, panned, revealing, zoomed, type Camera, type Size } from "./camera.js";
import { DETAIL } from "./cards.js";
import { Minimap } from "./minimap.js";
import type { Emphasis, Hit, Scene } from "./scene.js";

export interface StageEvents {
  /** A click; `add` where a modifier key was held. */
  click(hit: Hit | null, add: boolean): void;
  open(hit: Hit): void;
  hover(hit: Hit | null): void;
  menu(hit: Hit | null, x: number, y: number): void;
  /** Cards were framed with a rectangle. */
  frame(keys: string[]): void;
  key(event: KeyboardEvent): void;
  zoom(scale: number): void;
}

export const NOTHING: Emphasis = { selected: new Set(), hovered: null, cursor: null, matching: null };
const FADE = 180;
const GLIDE = 260;
const CONTROLS = 28; // pixels, beside the margin of a fit: the zoom lies over the bottom

export class Stage {
  readonly canvas: HTMLCanvasElement;
  private readonly context: CanvasRenderingContext2D;
  private readonly minimap: Minimap;
  private readonly ends: (() => void)[] = [];
  private scene: Scene | null = null;
  private palette: Palette | null = null;
  private camera: Camera = { x: 0, y: 0, scale: 1 };
  private view: Size = { width: 0, height: 0 };
  private emphasis: Emphasis = NOTHING;
  private motion = true;
  private asked = 0;
  private glide: { from: Camera; to: Camera; start: number } | null = null;
  private fade: { image: HTMLCanvasElement; start: number } | null = null;
  private framed: Rect | null = null;
  private wanted: "fit" | "start" | null = "start";
  /** Whether the camera still is where the first look put it: then it follows the view's size. */
  private untouched = true;

  constructor(
    private readonly root: HTMLElement,
    private readonly events: StageEvents,
    label: string,
  ) {
    const page = root.ownerDocument;
    this.canvas = page.createElement("canvas");
    this.canvas.className = "ipyo-canvas";
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-label", label);
    root.append(this.canvas);
    this.context = this.canvas.getContext("2d", { alpha: false })!;
    this.minimap = new Minimap(root, (x, y) => this.show(centered(x, y, this.camera.scale, this.view), false));
    this.listen();
    const observer = new ResizeObserver(() => this.resize());
    observer.observe(root);
    this.ends.push(() => observer.disconnect());
    this.resize();
  }

  dispose(): void {
    cancelAnimationFrame(this.asked);
    for (const end of this.ends) end();
    this.canvas.remove();
    this.minimap.dispose();
  }

  /** Show another scene; what `anchor` names stays where it is on the screen. */
  setScene(scene: Scene, anchor: string | null = null): void {
    const before = this.scene;
    const old = anchor === null ? null : (before?.rectOf(anchor) ?? before?.placed.boxes[before.visible.boxes.indexOf(anchor.replace(/^group /, ""))]);
    if (before && this.motion && this.view.width) this.fade = { image: this.copy(), start: performance.now() };
    this.scene = scene;
    const box = anchor === null ? null : (scene.rectOf(anchor) ?? scene.placed.boxes[scene.visible.boxes.indexOf(anchor.replace(/^group /, ""))]);
    if (old && box) {
      this.camera = { ...this.camera, x: this.camera.x + box.x - old.x, y: this.camera.y + box.y - old.y };
    } else if (!before || anchor === null) this.wanted = before?.direction === scene.direction ? "fit" : "start";
    this.minimap.setScene(scene);
    this.redraw();
  }

  /** Take over a scene that has the same cards in the same places. */
  refresh(): void {
    this.scene?.refresh();
    this.minimap.stale = true;
    this.redraw();
  }

  setEmphasis(emphasis: Emphasis): void {
    this.emphasis = emphasis;
    this.redraw();
  }

  setPalette(palette: Palette): void {
    this.palette = palette;
    this.minimap.stale = true;
    this.redraw();
  }

  setMotion(motion: boolean): void {
    this.motion = motion;
    this.redraw();
  }

  fit(animate = true): void {
    if (this.scene) this.show(fitted(this.scene.extent, this.clear), animate);
  }

  zoom(factor: number): void {
    this.show(zoomed(this.camera, factor, this.view.width / 2, this.view.height / 2), true);
  }

  pan(dx: number, dy: number): void {
    this.show(panned(this.camera, dx, dy), false);
  }

  reveal(key: string): void {
    const rect = this.scene?.rectOf(key);
    if (rect) this.show(revealing(this.camera, rect, this.view), true);
  }

  /** Show several cards; nothing moves where they are all in sight. */
  revealAll(keys: Iterable<string>): void {
    let all: Rect | null = null;
    for (const key of keys) {
      const rect = this.scene?.rectOf(key);
      if (rect) all = all ? joined(all, rect) : rect;
    }
    if (all) this.show(fitted(all, this.clear, 60), true);
  }

  private show(camera: Camera, animate: boolean): void {
    this.wanted = null;
    this.untouched = false;
    this.glide = animate && this.motion ? { from: this.camera, to: camera, start: performance.now() } : null;
    if (!this.glide) this.camera = camera;
    this.redraw();
  }

  private resize(): void {
    const { width, height } = this.root.getBoundingClientRect();
    if (width === this.view.width && height === this.view.height) return;
    const before = this.view;
    this.view = { width, height };
    const ratio = devicePixelRatio || 1;
    this.canvas.width = Math.max(1, Math.round(width * ratio));
    this.canvas.height = Math.max(1, Math.round(height * ratio));
    if (!before.width) this.wanted ??= "start";
    else if (this.untouched) this.wanted ??= "start";
    this.frame(performance.now());
    this.keepInSight();
  }

  /** Where the view got smaller, the card that has the attention must not be lost. */
  private keepInSight(): void {
    const { cursor } = this.emphasis;
    const rect = cursor === null ? null : this.scene?.rectOf(cursor);
    if (!rect || this.untouched) return;
    const { x, y, scale } = this.camera;
    const [right, bottom] = [(rect.x + rect.width - x) * scale, (rect.y + rect.height - y) * scale];
    if ((rect.x - x) * scale < 0 || (rect.y - y) * scale < 0 || right > this.view.width || bottom > this.view.height) {
      this.show(revealing(this.camera, rect, this.view), true);
    }
  }

  /** Return where on the view a card is. */
  onScreen(key: string): Rect | null {
    const rect = this.scene?.rectOf(key);
    if (!rect) return null;
    const { x, y, scale } = this.camera;
    return { x: (rect.x - x) * scale, y: (rect.y - y) * scale, width: rect.width * scale, height: rect.height * scale };
  }

  redraw(): void {
    if (!this.asked) this.asked = requestAnimationFrame((now) => this.frame(now));
  }

  private frame(now: number): void {
    cancelAnimationFrame(this.asked);
    this.asked = 0;
    const { scene, palette } = this;
    if (!scene || !palette || !this.view.width) return;
    this.settle();
    if (this.glide) {
      const share = Math.min(1, Math.max(0, (now - this.glide.start) / GLIDE));
      this.camera = between(this.glide.from, this.glide.to, this.view, 1 - (1 - share) ** 3);
      if (share >= 1) this.glide = null;
    }
    const clock = this.motion ? now / 1000 : 0;
    measured("draw", () => scene.draw(this.context, palette, this.camera, this.view, this.emphasis, clock));
    this.drawFrame(palette);
    this.drawFade(now);
    this.minimap.draw(palette, this.camera, this.view);
    this.events.zoom(this.camera.scale);
    if (this.glide || this.fade || (scene.moving && this.motion)) this.redraw();
  }

  /** The part of the view that the controls at its bottom leave free. */
  private get clear(): Size {
    return { width: this.view.width, height: Math.max(1, this.view.height - CONTROLS) };
  }

  /** Choose the first camera: all of it where that can be read, else its beginning. */
  private settle(): void {
    if (!this.wanted || !this.scene) return;
    const all = fitted(this.scene.extent, this.clear);
    const readable = this.scene.direction === "right" ? 0.4 : DETAIL.all;
    this.camera = this.wanted === "start" && all.scale < readable ? beginning(this.scene, this.view) : all;
    this.wanted = null;
    this.untouched = true;
  }

  private drawFrame(palette: Palette): void {
    if (!this.framed) return;
    const { context, framed } = this;
    const ratio = devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = palette.ring;
    context.strokeStyle = palette.brand;
    context.lineWidth = 1;
    context.globalAlpha = 0.35;
    context.fillRect(framed.x, framed.y, framed.width, framed.height);
    context.globalAlpha = 1;
    context.strokeRect(framed.x + 0.5, framed.y + 0.5, framed.width, framed.height);
  }

  private drawFade(now: number): void {
    if (!this.fade) return;
    const share = (now - this.fade.start) / FADE;
    if (share >= 1) {
      this.fade = null;
      return;
    }
    this.context.setTransform(1, 0, 0, 1, 0, 0);
    this.context.globalAlpha = 1 - Math.max(0, share);
    this.context.drawImage(this.fade.image, 0, 0);
    this.context.globalAlpha = 1;
  }

  private copy(): HTMLCanvasElement {
    const image = this.canvas.ownerDocument.createElement("canvas");
    image.width = this.canvas.width;
    image.height = this.canvas.height;
    image.getContext("2d")!.drawImage(this.canvas, 0, 0);
    return image;
  }

  // -- pointing -------------------------------------------------------------------------------------------------------

  private point(event: MouseEvent): [number, number] {
    const rect = this.canvas.getBoundingClientRect();
    return [event.clientX - rect.left, event.clientY - rect.top];
  }

  private hitAt(event: MouseEvent): Hit | null {
    const [x, y] = this.point(event);
    return this.scene?.hit(this.camera.x + x / this.camera.scale, this.camera.y + y / this.camera.scale) ?? null;
  }

  private on<K extends keyof HTMLElementEventMap>(kind: K, heard: (event: HTMLElementEventMap[K]) => void): void {
    this.canvas.addEventListener(kind, heard, { passive: false });
  }

  private listen(): void {
    let drag: { x: number; y: number; moved: boolean; frame: boolean } | null = null;
    this.on("pointerdown", (event) => {
      if (event.button !== 0) return;
      const [x, y] = this.point(event);
      drag = { x, y, moved: false, frame: event.shiftKey && !this.hitAt(event) };
      this.untouched = false;
      this.canvas.setPointerCapture(event.pointerId);
    });
    this.on("pointermove", (event) => {
      const [x, y] = this.point(event);
      if (!drag) return this.hovered(event);
      if (!drag.moved && Math.hypot(x - drag.x, y - drag.y) < 4) return;
      drag.moved = true;
      this.canvas.classList.add("is-dragging");
      if (drag.frame) {
        this.framed = { x: Math.min(x, drag.x), y: Math.min(y, drag.y), width: Math.abs(x - drag.x), height: Math.abs(y - drag.y) };
        this.redraw();
        return;
      }
      this.pan(x - drag.x, y - drag.y);
      drag.x = x;
      drag.y = y;
    });
    this.on("pointerup", (event) => {
      this.canvas.classList.remove("is-dragging");
      const was = drag;
      drag = null;
      if (!was) return;
      if (this.framed) this.take(this.framed);
      else if (!was.moved) this.events.click(this.hitAt(event), event.shiftKey || event.ctrlKey || event.metaKey);
    });
    this.on("pointercancel", () => {
      drag = null;
      this.framed = null;
    });
    this.on("pointerleave", () => this.events.hover(null));
    this.on("dblclick", (event) => {
      const hit = this.hitAt(event);
      if (hit) this.events.open(hit);
    });
    this.on("contextmenu", (event) => {
      event.preventDefault();
      event.stopPropagation();
      const [x, y] = this.point(event);
      this.events.menu(this.hitAt(event), x, y);
    });
    this.on("wheel", (event) => this.wheel(event));
    this.on("keydown", (event) => this.events.key(event));
  }

  private hovered(event: MouseEvent): void {
    const hit = this.hitAt(event);
    this.canvas.classList.toggle("is-pointing", hit !== null);
    this.events.hover(hit);
  }

  private take(framed: Rect): void {
    this.framed = null;
    const { x, y, scale } = this.camera;
    const rect = { x: x + framed.x / scale, y: y + framed.y / scale, width: framed.width / scale, height: framed.height / scale };
    this.events.frame((this.scene?.touching(rect) ?? []).map((item) => item.key));
    this.redraw();
  }

  /** The wheel zooms with Ctrl (as a pinch does) and once the drawing has the focus; else the page scrolls. */
  private wheel(event: WheelEvent): void {
    const focused = this.canvas.ownerDocument.activeElement === this.canvas || this.root.getRootNode() !== this.canvas.ownerDocument;
    if (!event.ctrlKey && !event.metaKey && !focused) return;
    event.preventDefault();
    event.stopPropagation();
    const unit = event.deltaMode === 1 ? 18 : 1;
    if (event.shiftKey && !event.ctrlKey) return this.pan(-(event.deltaX || event.deltaY) * unit, 0);
    const [x, y] = this.point(event);
    const factor = Math.exp(-event.deltaY * unit * (event.ctrlKey ? 0.01 : 0.0016));
    this.show(zoomed(this.camera, factor, x, y), false);
  }
}

/** Show where a drawing begins that is too large to be read as a whole; one from top to bottom as wide as it is. */
function beginning({ direction, extent: { x, y, width, height } }: Scene, view: Size): Camera {
  const scale = direction === "right" ? 0.62 : Math.min(1, Math.max(DETAIL.all, (view.width - 24) / width));
  const middle = centered(x + width / 2, y + height / 2, scale, view);
  const left = direction === "right" ? x - 28 / scale : middle.x;
  return { scale, x: left, y: height * scale > view.height || direction === "down" ? y - 24 : middle.y };
}

function joined(a: Rect, b: Rect): Rect {
  const [x, y] = [Math.min(a.x, b.x), Math.min(a.y, b.y)];
  return {
    x,
    y,
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y,
  };
}

