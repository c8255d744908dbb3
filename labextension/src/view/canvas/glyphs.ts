/** The shapes of statuses, the same on the canvas and in the page: paths in a box of 16 by 16. */

import type { Look } from "../status.js";

export interface Glyph {
  readonly path: string;
  readonly fill: boolean;
  readonly dash?: readonly number[];
  /** A second path, which is drawn on the first in the colour of the card. */
  readonly mark?: string;
}

const CIRCLE = "M8 2a6 6 0 1 1 0 12a6 6 0 1 1 0-12z";

export const GLYPHS: Readonly<Record<Look, Glyph>> = {
  fresh: { path: CIRCLE, fill: true, mark: "M5.2 8.2l2 2l3.7-4.2" },
  cached: { path: CIRCLE, fill: true, mark: "M5 8h6M8.6 5.6L11 8L8.6 10.4" },
  stale: { path: "M8 1.8l6.8 12.2h-13.6z", fill: true, mark: "M8 6v4M8 11.9v.2" },
  failed: { path: "M5.2 1.8h5.6l3.4 3.4v5.6l-3.4 3.4h-5.6l-3.4-3.4v-5.6z", fill: true, mark: "M5.7 5.7l4.6 4.6M10.3 5.7l-4.6 4.6" },
  "check-failed": { path: "M8 1.2l6.8 6.8l-6.8 6.8l-6.8-6.8z", fill: true, mark: "M8 4.8v3.8M8 10.9v.2" },
  missing: { path: "M8 2.6a5.4 5.4 0 1 1 0 10.8a5.4 5.4 0 1 1 0-10.8z", fill: false },
  evicted: { path: "M8 2.6a5.4 5.4 0 1 1 0 10.8a5.4 5.4 0 1 1 0-10.8z", fill: false, dash: [2.2, 2.05] },
  external: { path: "M8 2.2l5.8 5.8l-5.8 5.8l-5.8-5.8z", fill: false },
  waiting: { path: "M3 4h10M3 8h10M3 12h6", fill: false },
  running: { path: "M8 2.4a5.6 5.6 0 1 1-5.6 5.6", fill: false },
  unknown: { path: "M8 5a3 3 0 1 1 0 6a3 3 0 1 1 0-6z", fill: true },
};
