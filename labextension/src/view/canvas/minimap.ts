/** All of the drawing in a corner, and where in it one looks; shown where not all is in sight. */

import type { Palette } from "../theme.js";
import { LOOKS, lookOf } from "../status.js";
import type { Camera, Size } from "./camera.js";
import type { Scene } from "./scene.js";

const MOST = {
  right: { width: 190, height: 124 },
  down: { width: 64, height: 160 },
} as const;

/** In a narrower view the corner's other side takes all of its width. */
const NARROW = 420;

export class Minimap {
  /** Whether the picture must be drawn anew. */
  stale = true;
  private readonly canvas: HTMLCanvasElement;
  private readonly picture: HTMLCanvasElement;
  private scene: Scene | null = null;
  private scale = 1;

  constructor(
    root: HTMLElement,
    private readonly go: (x: number, y: number) => void,
  ) {
    const page = root.ownerDocument;
    this.canvas = page.createElement("canvas");
    this.canvas.className = "ipyo-minimap";
    this.canvas.setAttribute("aria-hidden", "true");
    this.picture = page.createElement("canvas");
    root.append(this.canvas);
    const move = (event: PointerEvent): void => {
      if (event.buttons !== 1) return;
      const rect = this.canvas.getBoundingClientRect();
      this.go((event.clientX - rect.left - 4) / this.scale, (event.clientY - rect.top - 4) / this.scale);
    };
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      move(event);
    });
    this.canvas.addEventListener("pointermove", move);
  }

  dispose(): void {
    this.canvas.remove();
  }

  setScene(scene: Scene): void {
    this.scene = scene;
    this.stale = true;
  }

  draw(palette: Palette, camera: Camera, view: Size): void {
    const { scene } = this;
    if (!scene) return;
    const { width, height } = scene.extent;
    const inSight =
      camera.x <= 0 && camera.y <= 0 && camera.x + view.width / camera.scale >= width && camera.y + view.height / camera.scale >= height;
    const hidden = inSight || this.crowded(view) || scene.visible.items.length < 2;
    this.canvas.hidden = hidden;
    if (hidden) return;
    this.canvas.classList.toggle("is-above", view.width < NARROW);
    this.scale = Math.min(MOST[scene.direction].width / width, MOST[scene.direction].height / height);
    if (this.stale) this.paint(palette);
    const ratio = devicePixelRatio || 1;
    const context = this.canvas.getContext("2d")!;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.drawImage(this.picture, 0, 0);
    context.setTransform(ratio, 0, 0, ratio, 4 * ratio, 4 * ratio);
    const left = Math.max(0, camera.x * this.scale);
    const top = Math.max(0, camera.y * this.scale);
    const right = Math.min(width * this.scale, (camera.x + view.width / camera.scale) * this.scale);
    const bottom = Math.min(height * this.scale, (camera.y + view.height / camera.scale) * this.scale);
    context.fillStyle = palette.ring;
    context.strokeStyle = palette.brand;
    context.lineWidth = 1.2;
    context.beginPath();
    context.roundRect(left, top, Math.max(4, right - left), Math.max(4, bottom - top), 2);
    context.fill();
    context.stroke();
  }

  /** Tell whether there's no room for it. */
  private crowded({ width, height }: Size): boolean {
    return this.scene?.direction === "down" ? width < 260 || height < 380 : width < NARROW || height < 260;
  }

  private paint(palette: Palette): void {
    const scene = this.scene!;
    const ratio = devicePixelRatio || 1;
    const [wide, high] = [scene.extent.width * this.scale + 8, scene.extent.height * this.scale + 8];
    for (const canvas of [this.canvas, this.picture]) {
      canvas.width = Math.ceil(wide * ratio);
      canvas.height = Math.ceil(high * ratio);
    }
    this.canvas.style.width = `${wide}px`;
    this.canvas.style.height = `${high}px`;
    const context = this.picture.getContext("2d")!;
    context.setTransform(ratio * this.scale, 0, 0, ratio * this.scale, 4 * ratio, 4 * ratio);
    for (const box of scene.placed.boxes) {
      if (!box) continue;
      context.fillStyle = palette.raised;
      context.fillRect(box.x, box.y, box.width, box.height);
    }
    const { nodes } = scene.graph;
    const least = 1.4 / this.scale;
    scene.visible.items.forEach((item, i) => {
      const members = item.kind === "group" ? item.members : [item.node];
      const looks = new Set(members.map((v) => lookOf(nodes[v])));
      context.fillStyle = palette.looks[LOOKS.find((look) => looks.has(look)) ?? "unknown"];
      const { x, y, width, height } = scene.rect(i);
      context.fillRect(x, y, Math.max(width, least), Math.max(height, least));
    });
    this.stale = false;
  }
}
