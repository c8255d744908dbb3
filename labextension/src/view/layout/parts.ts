/** The parts of a graph that aren't connected: each is laid out by itself, then they are packed on shelves. */

import type { Drawing } from "./types.js";

/** Return the nodes of each part; the nodes of a group belong together. */
export function parts(drawing: Drawing): number[][] {
  const count = drawing.widths.length;
  const parent = Int32Array.from({ length: count + drawing.groupCount }, (_, v) => v);
  const find = (v: number): number => {
    while (parent[v] !== v) v = parent[v] = parent[parent[v]];
    return v;
  };
  const join = (a: number, b: number): void => {
    parent[find(a)] = find(b);
  };
  for (let i = 0; i < drawing.edges.length; i += 2) join(drawing.edges[i], drawing.edges[i + 1]);
  for (let v = 0; v < count; v++) if (drawing.groups[v] >= 0) join(v, count + drawing.groups[v]);
  const found = new Map<number, number[]>();
  for (let v = 0; v < count; v++) {
    const root = find(v);
    const part = found.get(root);
    if (part) part.push(v);
    else found.set(root, [v]);
  }
  return [...found.values()];
}

/** Return the corner of each rectangle on shelves of about the shape of a screen, or `least` long: the large ones first. */
export function shelves(sizes: readonly (readonly [number, number])[], gap: (index: number) => number, least = 0): [number, number][] {
  const area = sizes.reduce((sum, [width, height], i) => sum + (width + gap(i)) * (height + gap(i)), 0);
  const room = Math.max(least, Math.sqrt(area * 2), ...sizes.map(([width]) => width));
  const corners: [number, number][] = sizes.map(() => [0, 0]);
  const order = sizes.map((_, i) => i).sort((a, b) => sizes[b][1] - sizes[a][1] || a - b);
  let [x, y, high] = [0, 0, 0];
  for (const i of order) {
    const [width, height] = sizes[i];
    if (x > 0 && x + width > room) {
      y += high;
      x = high = 0;
    }
    corners[i] = [x, y];
    x += width + gap(i);
    high = Math.max(high, height + gap(i));
  }
  return corners;
}
