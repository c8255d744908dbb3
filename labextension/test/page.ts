/** What the DOM of the tests lacks: a canvas that draws nothing, and sizes. */

const nothing: CanvasRenderingContext2D = new Proxy({} as CanvasRenderingContext2D, {
  get: (target, name) => (name in target ? target[name as never] : name === "measureText" ? (text: string) => ({ width: 7 * text.length }) : () => undefined),
  set: (target, name, value) => Reflect.set(target, name, value),
});

Object.assign(globalThis, { Path2D: class {}, devicePixelRatio: 1 });
HTMLCanvasElement.prototype.getContext = (() => nothing) as never;
HTMLElement.prototype.getBoundingClientRect = () => new DOMRect(0, 0, 1200, 700);
Object.defineProperty(HTMLElement.prototype, "clientHeight", { get: () => 700 });

/** Wait until `found` finds something, or eight seconds have passed. */
export async function until<T>(found: () => T | null | undefined | false, what = "it"): Promise<T> {
  for (let i = 0; i < 800; i++) {
    const one = found();
    if (one) return one;
    await new Promise((done) => setTimeout(done, 10));
  }
  throw new Error(`${what} didn't come; the page says: ${document.body.textContent?.slice(0, 600)}`);
}
