/** Where the graph's edges lead to: down where the view is narrow, unless somebody has chosen. */

import type { RefObject } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";

import type { Direction } from "../layout/types.js";
import type { Actions } from "../state/actions.js";
import { useActions, useView } from "./parts.js";

/** Pixels; in a narrower view a graph from left to right can't be read. */
const NARROW = 560;
/** Cards beside each other in such a view. */
const BESIDE = 2;

interface Flow {
  readonly direction: Direction;
  /** How many cards stand beside each other at most. */
  readonly most: number;
}

/** Return how the graph is drawn in a view that `place` is in; null before its width is known. */
export function useFlow(place: RefObject<HTMLElement>): Flow | null {
  const actions = useActions();
  const { direction } = useView();
  const [narrow, setNarrow] = useState<boolean | null>(null);
  useLayoutEffect(() => {
    // The whole view's width: a panel that opens beside the graph must not turn it.
    const view = place.current!.closest(".ipyo-view") ?? place.current!;
    const measure = (): void => {
      const { width } = view.getBoundingClientRect();
      setNarrow((before) => (width > 0 ? width < NARROW : (before ?? false)));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(view);
    return () => observer.disconnect();
  }, [actions, place]);
  if (narrow === null) return null;
  const drawn = direction ?? (narrow ? "down" : "right");
  return { direction: drawn, most: narrow && drawn === "down" ? BESIDE : Infinity };
}

/** Draw the graph in the other direction, whatever the view's width. */
export function turn(actions: Actions, now: Direction): void {
  const direction = now === "right" ? "down" : "right";
  actions.store.set({ direction, said: direction === "down" ? "Drawn from top to bottom." : "Drawn from left to right." });
}
