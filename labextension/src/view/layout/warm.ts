/**
 * Have the layout compiled before it is wanted: the first one in a page takes ten times as long as the same one later.
 *
 * Small graphs are laid out while the page is idle, which it is as long as the kernel's first answer is on its way.
 */

import { layout } from "./layout.js";
import type { Drawing } from "./types.js";

const ROUNDS = 24;
const NODES = 130;
const COLUMNS = 12;
/** Milliseconds that one of them may take: less of an idle moment is left alone. */
const LEAST = 6;

/** Return a graph with all that the layout deals with: groups, long edges, crossings, parts. */
export function sample(seed: number): Drawing {
  const edges: number[] = [];
  let state = seed + 1;
  const next = (most: number): number => (state = (state * 48_271) % 2_147_483_647) % most;
  for (let v = COLUMNS; v < NODES - 3; v++) {
    edges.push(v - 1 - next(COLUMNS), v);
    if (next(3)) edges.push(next(v - COLUMNS + 1), v);
  }
  return {
    widths: new Array<number>(NODES).fill(204),
    heights: Array.from({ length: NODES }, (_, v) => (v % 3 ? 74 : 54)),
    edges,
    groups: Array.from({ length: NODES }, (_, v) => (v % 17 ? Math.floor(v / 26) : -1)),
    groupCount: NODES / 26,
  };
}

/** Lay out samples in idle moments; return what ends that. */
export function warm(): () => void {
  let round = 0;
  let asked = 0;
  const idle = typeof requestIdleCallback === "function";
  const step = (deadline?: IdleDeadline): void => {
    do layout(sample(round));
    while (++round < ROUNDS && deadline && deadline.timeRemaining() > LEAST);
    if (round < ROUNDS) ask();
  };
  const ask = (): void => {
    asked = idle ? requestIdleCallback(step, { timeout: 2_000 }) : window.setTimeout(() => step(), 30);
  };
  ask();
  return () => (idle ? cancelIdleCallback(asked) : clearTimeout(asked));
}
