import { execFileSync } from "node:child_process";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { edges, random } from "../dev/generate.js";
import { closing, groupedLayers, layers } from "../src/view/layout/layers.js";
import { layout } from "../src/view/layout/layout.js";
import { sample } from "../src/view/layout/warm.js";
import { network } from "../src/view/layout/network.js";
import { arrange, crossings } from "../src/view/layout/order.js";
import type { Direction, Drawing, Rect } from "../src/view/layout/types.js";
import { drawings } from "./graphs.js";

function apart(a: Rect, b: Rect, slack = 0.01): boolean {
  return a.x + a.width <= b.x + slack || b.x + b.width <= a.x + slack || a.y + a.height <= b.y + slack || b.y + b.height <= a.y + slack;
}

function flat(count: number, pairs: number[]): Drawing {
  return { widths: new Array(count).fill(212), heights: new Array(count).fill(64), edges: pairs, groups: new Array(count).fill(-1), groupCount: 0 };
}

describe.each<[Direction, number]>([
  ["right", Infinity],
  ["down", Infinity],
  ["down", 2],
])("layout, edges lead %s, %d cards at most beside each other", (direction, most) => {
  it("points every edge forward, from where its tail ends to before its head", () => {
    fc.assert(
      fc.property(drawings, (drawing) => {
        const placed = layout(drawing, direction, most);
        const [along, long] = direction === "right" ? [placed.x, drawing.widths] : [placed.y, drawing.heights];
        for (let i = 0; i < drawing.edges.length; i += 2) {
          const [from, to] = [drawing.edges[i], drawing.edges[i + 1]];
          expect(placed.backward[i / 2]).toBe(0);
          expect(along[from] + long[from]).toBeLessThan(along[to]);
        }
      }),
    );
  });

  it("lets no card overlap another, nor a box of a group that it isn't in", () => {
    fc.assert(
      fc.property(drawings, (drawing) => {
        const placed = layout(drawing, direction, most);
        const rect = (v: number): Rect => ({ x: placed.x[v], y: placed.y[v], width: drawing.widths[v], height: drawing.heights[v] });
        for (let a = 0; a < placed.x.length; a++) {
          for (let b = a + 1; b < placed.x.length; b++) expect(apart(rect(a), rect(b))).toBe(true);
          placed.boxes.forEach((box, group) => {
            if (box) expect(apart(rect(a), box)).toBe(drawing.groups[a] !== group);
          });
        }
        const boxes = placed.boxes.filter((box) => box !== null);
        boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b) => expect(apart(a, b)).toBe(true)));
      }),
    );
  });

  it("keeps everything inside of the size it says, and says the same twice", () => {
    fc.assert(
      fc.property(drawings, (drawing) => {
        const placed = layout(drawing, direction, most);
        expect(layout(drawing, direction, most)).toEqual(placed);
        placed.x.forEach((x, v) => {
          expect(x).toBeGreaterThanOrEqual(-0.01);
          expect(placed.y[v]).toBeGreaterThanOrEqual(-0.01);
          expect(x + drawing.widths[v]).toBeLessThanOrEqual(placed.width + 0.01);
          expect(placed.y[v] + drawing.heights[v]).toBeLessThanOrEqual(placed.height + 0.01);
        });
        for (const route of placed.routes) for (const at of route) expect(Number.isFinite(at)).toBe(true);
      }),
    );
  });

  it("leads lanes around all cards but the ends of their edge, each from its beginning to its end", () => {
    fc.assert(
      fc.property(drawings, (drawing) => {
        const placed = layout(drawing, direction, most);
        const down = direction === "down" ? 1 : 0;
        placed.routes.forEach((points) => {
          for (let i = 0; i < points.length; i += 2) {
            const [x, y] = [points[i], points[i + 1]];
            if (i) expect(points[i + down]).toBeGreaterThanOrEqual(points[i - 2 + down]);
            const under = placed.x.findIndex((left, v) => x > left && x < left + drawing.widths[v] && y > placed.y[v] && y < placed.y[v] + drawing.heights[v]);
            expect(under).toBe(-1);
          }
        });
      }),
    );
  });
});

describe("layout", () => {
  it("draws what closes a cycle backward, and all else forward", () => {
    const pairs = [0, 1, 1, 2, 2, 0, 2, 3];
    expect([...closing(4, pairs)]).toEqual([0, 0, 1, 0]);
    const placed = layout(flat(4, pairs));
    expect(placed.layer[3]).toBeGreaterThan(placed.layer[2]);
    expect(placed.x[0]).toBeLessThan(placed.x[2]);
  });

  it("puts groups side by side where they depend on each other one way", () => {
    const found = groupedLayers(5, [0, 1, 0, 2, 1, 3, 2, 3, 2, 4], [0, 0, 1, 1, 1], 2);
    expect(Math.max(found[0], found[1])).toBeLessThan(Math.min(found[2], found[3], found[4]));
  });

  it("finds columns of the least total edge length", () => {
    // The optimum of this one is known: 3 hangs on 2, not at the left end.
    expect([...layers(5, [0, 1, 1, 2, 3, 2, 2, 4])]).toEqual([0, 1, 2, 1, 3]);
  });

  it("spreads assets without edges over several columns", () => {
    const placed = layout(flat(120, []));
    expect(placed.width / placed.height).toBeGreaterThan(0.5);
    expect(placed.width / placed.height).toBeLessThan(6);
  });

  it("is narrow where edges lead down, also for assets without edges", () => {
    for (const count of [9, 30]) {
      const placed = layout(flat(count, []), "down");
      expect(placed.width / placed.height).toBeLessThan(1.1);
    }
  });

  it("puts no more cards beside each other than are asked for, and groups below each other", () => {
    fc.assert(
      fc.property(drawings, (drawing) => {
        const placed = layout(drawing, "down", 2);
        const beside = new Map<number, number>();
        placed.y.forEach((y) => beside.set(Math.round(y), (beside.get(Math.round(y)) ?? 0) + 1));
        expect(Math.max(0, ...beside.values())).toBeLessThanOrEqual(2);
      }),
    );
    const pairs = [0, 1, 0, 2, 1, 3, 2, 4];
    const boxes = layout({ ...flat(5, pairs), groups: [-1, 0, 1, 0, 1], groupCount: 2 }, "down", 2).boxes;
    expect(boxes[0]!.y + boxes[0]!.height).toBeLessThan(boxes[1]!.y);
  });

  it("keeps two groups in one order also in the column that a sweep begins at", () => {
    // prettier-ignore
    const pairs = [11, 15, 6, 22, 2, 12, 0, 21, 4, 15, 3, 14, 3, 24, 3, 25, 14, 23, 0, 20, 1, 12, 22, 24, 2, 17, 1, 2, 5, 18, 0, 6, 9, 21, 0, 18, 1, 22, 6, 11, 9, 19, 10, 22, 8, 19, 14, 21, 6, 23, 0, 22, 16, 17, 1, 8, 17, 19, 11, 14, 24, 25, 0, 23, 12, 21, 7, 13, 3, 20, 12, 22, 10, 12, 4, 24, 5, 16, 2, 11, 14, 19, 5, 15, 5, 9, 15, 23, 12, 18, 14, 15, 6, 7, 20, 23, 1, 20, 13, 17, 18, 25, 5, 12];
    const groups = [1, -1, 2, 1, 1, 2, 0, 2, 1, 3, 2, 1, 2, 0, -1, 3, 3, 3, 0, 3, 2, 2, -1, 2, -1, 1];
    const boxes = layout({ ...flat(26, pairs), groups, groupCount: 4 }).boxes.map((box) => box!);
    for (const [i, box] of boxes.entries()) for (const other of boxes.slice(i + 1)) expect(apart(box, other)).toBe(true);
  });

  it("puts groups below each other that depend on each other by what is in none, where that can be", () => {
    const pairs = [0, 2, 1, 2, 2, 3, 0, 3, 0, 4, 2, 4];
    const boxes = layout({ ...flat(5, pairs), groups: [1, 0, -1, -1, 1], groupCount: 2 }, "down", 2).boxes;
    expect(boxes[0]!.y + boxes[0]!.height).toBeLessThan(boxes[1]!.y);
    const both = { ...flat(6, [0, 1, 1, 2, 3, 4, 4, 5]), groups: [0, -1, 1, 1, -1, 0], groupCount: 2 };
    const rects = layout(both, "down", 2).boxes;
    expect(apart(rects[0]!, rects[1]!)).toBe(true);
  });

  it("lays out nothing, and one", () => {
    expect(layout(flat(0, [])).width).toBe(0);
    expect(layout(flat(1, []), "down").width).toBe(212);
    expect(layout(flat(1, [])).width).toBe(212);
  });

  it("takes a chain of 10,000 and 10,000 in layers without overflow", () => {
    const chain = Array.from({ length: 9_999 }, (_, i) => [i, i + 1]).flat();
    expect(layout(flat(10_000, chain)).layer[9_999]).toBe(9_999);
    expect(layout(flat(10_000, edges(10_000))).routes).toHaveLength(edges(10_000).length / 2);
  });
});

const dot = ((): boolean => {
  try {
    execFileSync("dot", ["-V"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!dot)("beside Graphviz", () => {
  it.each([50, 100, 200, 300, 500])("crosses at most 1.5 times as many edges as dot, %i nodes", (count) => {
    const pairs = edges(count, 3);
    const net = network(layers(count, pairs), pairs, new Array(count).fill(64), new Array(count).fill(-1), 0);
    arrange(net);
    const own = crossings(net);
    expect(own).toBeLessThanOrEqual(Math.max(10, 1.5 * dotCrossings(count, pairs)));
  });
});

/** Count the crossings of dot's drawing: those of its splines, as fine polylines. */
function dotCrossings(count: number, pairs: number[]): number {
  const lines = pairs.flatMap((from, i) => (i % 2 ? [] : [`${from}->${pairs[i + 1]}`]));
  const nodes = Array.from({ length: count }, (_, i) => i).join(";");
  const source = `digraph{rankdir=LR;node[shape=box,width=2,height=.6,fixedsize=true];${nodes};${lines.join(";")}}`;
  const curves = execFileSync("dot", ["-Tplain"], { input: source, maxBuffer: 1e8 })
    .toString()
    .split("\n")
    .filter((line) => line.startsWith("edge "))
    .map((line) => {
      const words = line.split(" ");
      const points = Array.from({ length: Number(words[3]) }, (_, i) => [Number(words[4 + 2 * i]), Number(words[5 + 2 * i])]);
      const fine = [points[0]];
      for (let i = 0; i + 3 < points.length; i += 3) {
        for (let step = 1; step <= 8; step++) {
          const [t, u] = [step / 8, 1 - step / 8];
          fine.push([0, 1].map((k) => u ** 3 * points[i][k] + 3 * u * u * t * points[i + 1][k] + 3 * u * t * t * points[i + 2][k] + t ** 3 * points[i + 3][k]));
        }
      }
      return fine;
    });
  const pieces = curves.flatMap((line, edge) => line.slice(1).map((point, i) => [...line[i], ...point, edge]));
  pieces.sort((a, b) => Math.min(a[0], a[2]) - Math.min(b[0], b[2]));
  const side = (ax: number, ay: number, bx: number, by: number, px: number, py: number): number => Math.sign((bx - ax) * (py - ay) - (by - ay) * (px - ax));
  let sum = 0;
  for (let i = 0; i < pieces.length; i++) {
    const [a, b, c, d, e] = pieces[i];
    const right = Math.max(a, c);
    for (let j = i + 1; j < pieces.length; j++) {
      const [p, q, r, s, f] = pieces[j];
      if (Math.min(p, r) > right) break;
      if (e !== f && side(a, b, c, d, p, q) * side(a, b, c, d, r, s) < 0 && side(p, q, r, s, a, b) * side(p, q, r, s, c, d) < 0) sum++;
    }
  }
  return sum;
}

describe("random", () => {
  it("gives the same numbers each time", () => {
    expect(random(4)()).toBe(random(4)());
  });
});

describe("the samples that warm the layout up", () => {
  it("are graphs that can be laid out, with groups, long edges and several parts", () => {
    for (let seed = 0; seed < 30; seed++) {
      const drawing = sample(seed);
      const placed = layout(drawing);
      expect(Math.min(...Array.from(drawing.edges))).toBeGreaterThanOrEqual(0);
      expect(placed.boxes.every((box) => box !== null)).toBe(true);
      expect(placed.routes.some((route) => route.length > 0)).toBe(true);
    }
  });
});
