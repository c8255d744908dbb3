/**
 * Have the layout compiled before it is wanted: the first one in a page takes ten times as long as the same one later.
 *
 * Small graphs are laid out while the kernel's first answer is on its way: the first ones at once, a frame's worth at a
 * time, since a notebook that has just run a cell may not call its page idle before the answer is there; then in idle moments.
 */

import { layout } from "./layout.js";
import type { Drawing } from "./types.js";

const ROUNDS = 30;
const AT_ONCE = 22;
/** Milliseconds after which those let the page do something else. */
const SLICE = 24;
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

/** Lay out samples, soon and then in idle moments; return what ends that. */
export function warm(): () => void {
  let round = 0;
  let end = (): void => undefined;
  const soon = (step: () => void): void => {
    const asked = window.setTimeout(step);
    end = () => clearTimeout(asked);
  };
  const idly = (step: (deadline: IdleDeadline) => void): void => {
    const asked = requestIdleCallback(step, { timeout: 2_000 });
    end = () => cancelIdleCallback(asked);
  };
  const step = (): void => {
    const began = performance.now();
    do layout(sample(round));
    while (++round < AT_ONCE && performance.now() - began < SLICE);
    if (round < AT_ONCE) soon(step);
    else if (typeof requestIdleCallback === "function") idly(rest);
  };
  const rest = (deadline: IdleDeadline): void => {
    do layout(sample(round));
    while (++round < ROUNDS && deadline.timeRemaining() > LEAST);
    if (round < ROUNDS) idly(rest);
  };
  soon(step);
  return () => end();
}
