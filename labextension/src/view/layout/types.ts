/** Where edges lead to: columns from left to right, or rows from top to bottom. */
export type Direction = "right" | "down";

/** What the layout is given: sizes, edges as pairs of positions, and a group or -1 for each node. */
export interface Drawing {
  readonly widths: ArrayLike<number>;
  readonly heights: ArrayLike<number>;
  /** from, to, from, to, ... */
  readonly edges: ArrayLike<number>;
  readonly groups: ArrayLike<number>;
  readonly groupCount: number;
}

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Where everything stands; `x` and `y` are top left corners. */
export interface Placed {
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** The column (or row) of each node; of an edge that closes no cycle, the head's is the greater. */
  readonly layer: Int32Array;
  /** Points between tail and head of each edge: x, y, x, y, ... */
  readonly routes: readonly Float64Array[];
  /** 1 where an edge closes a cycle, and so points backward. */
  readonly backward: Uint8Array;
  /** The boxes of groups; null where a group has no node. */
  readonly boxes: readonly (Rect | null)[];
  readonly width: number;
  readonly height: number;
}

export const GAP = {
  /** between columns */
  column: 52,
  /** between cards in a column */
  row: 18,
  /** beside a lane, in which a long edge passes a column */
  lane: 9,
  /** inside of a group's box */
  padding: 14,
  /** of a group's box, above its cards */
  title: 34,
  /** between boxes */
  box: 22,
  /** between parts of the graph that aren't connected */
  part: 40,
} as const;
