/** Random graphs for property tests. */

import fc from "fast-check";

import type { Drawing } from "../src/view/layout/types.js";

/** Generate graphs without cycles, some in groups, some in parts that aren't connected. */
export const drawings: fc.Arbitrary<Drawing> = fc
  .record({
    count: fc.integer({ min: 1, max: 60 }),
    density: fc.double({ min: 0, max: 2.2, noNaN: true }),
    groups: fc.integer({ min: 0, max: 6 }),
    seed: fc.integer({ min: 0, max: 1_000_000 }),
  })
  .map(({ count, density, groups, seed }) => {
    let state = seed;
    const next = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 4294967296) * below);
    };
    const seen = new Set<number>();
    const edges: number[] = [];
    for (let i = 0; i < count * density; i++) {
      const [a, b] = [next(count), next(count)];
      const [from, to] = [Math.min(a, b), Math.max(a, b)];
      if (from === to || seen.has(from * count + to)) continue;
      seen.add(from * count + to);
      edges.push(from, to);
    }
    return {
      widths: Array.from({ length: count }, () => 160 + next(60)),
      heights: Array.from({ length: count }, () => [54, 74, 84][next(3)]),
      edges,
      groups: Array.from({ length: count }, () => (groups ? next(groups + 1) - 1 : -1)),
      groupCount: groups,
    };
  });
