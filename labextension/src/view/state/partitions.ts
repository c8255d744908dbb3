/** The partitions of an asset as a bar or a grid: what is chosen of them, and what is drawn of them. Pure. */

import type { PartitionsMessage, PartitionStatus } from "../../protocol.js";

export type PartitionWord = PartitionStatus["word"];

/** What is chosen: the partitions between two, in two dimensions the rectangle between them. */
export interface Span {
  readonly anchor: number;
  readonly head: number;
}

/** Neighbours that are drawn as one: from where, how many, and how the worst of them stands. */
export interface Segment {
  readonly from: number;
  readonly many: number;
  readonly word: PartitionWord;
}

export interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** The words, what needs somebody most first. */
export const PARTITION_WORDS: readonly PartitionWord[] = ["failed", "stale", "missing", "evicted", "external", "fresh"];

const RANK = Object.fromEntries(PARTITION_WORDS.map((word, i) => [word, i])) as Record<PartitionWord, number>;

/** What a key mustn't have in it to stand in a range. */
const UNCLEAR = /\.\.|[,|*]|^\s|\s$|^last$/;

export class Partitions {
  /** How many stand beside each other, and how many rows of them there are: the longer dimension lies. */
  readonly columns: number;
  readonly lines: number;
  private readonly turned: boolean;
  private readonly of: Uint16Array;

  constructor(
    readonly id: string,
    readonly stamp: string,
    readonly dimensions: readonly string[],
    readonly rows: readonly string[],
    readonly keys: readonly string[],
    readonly statuses: readonly PartitionStatus[],
    runs: readonly (readonly [number, number])[],
  ) {
    this.turned = rows.length > keys.length;
    const down = dimensions.length ? rows.length : 1;
    [this.columns, this.lines] = this.turned ? [down, keys.length] : [keys.length, down];
    this.of = new Uint16Array(keys.length * down);
    let at = 0;
    for (const [many, status] of runs) {
      this.of.fill(status, at, at + many);
      at += many;
    }
  }

  /** Return what the kernel told; it leaves out the keys where those of before hold. */
  static from(told: PartitionsMessage, before: Partitions | null): Partitions | null {
    const known = before && before.id === told.id && before.stamp === told.stamp ? before : null;
    const keys = told.keys?.length ? told.keys : known?.keys ?? [];
    const rows = told.rows?.length ? told.rows : known?.rows ?? [];
    return new Partitions(told.id, told.stamp ?? "", told.dimensions ?? [], rows, keys, told.statuses ?? [], told.runs ?? []);
  }

  get total(): number {
    return this.of.length;
  }

  // -- places: a partition is known by its number, and stands at x, y ---------------------------------------------------

  at(x: number, y: number): number {
    return this.turned ? x * this.keys.length + y : y * this.keys.length + x;
  }

  place(at: number): [x: number, y: number] {
    const long = Math.max(1, this.keys.length);
    const [row, column] = [Math.floor(at / long), at % long];
    return this.turned ? [row, column] : [column, row];
  }

  status(at: number): PartitionStatus {
    return this.statuses[this.of[at]] ?? { word: "missing" };
  }

  key(at: number): string {
    const long = Math.max(1, this.keys.length);
    return this.dimensions.length ? `${this.rows[Math.floor(at / long)]}|${this.keys[at % long]}` : this.keys[at];
  }

  /** Return the keys that lie, and those that stand. */
  get across(): readonly string[] {
    return this.turned ? this.rows : this.keys;
  }

  get down(): readonly string[] {
    return this.turned ? this.keys : this.dimensions.length ? this.rows : [];
  }

  /** Return the names of both dimensions: of what lies, and of what stands. */
  get names(): readonly string[] {
    return this.turned ? this.dimensions : [...this.dimensions].reverse();
  }

  // -- what is chosen -------------------------------------------------------------------------------------------------

  box(span: Span): Box {
    const [a, b] = this.place(span.anchor);
    const [c, d] = this.place(span.head);
    return { left: Math.min(a, c), right: Math.max(a, c), top: Math.min(b, d), bottom: Math.max(b, d) };
  }

  whole(): Span {
    return { anchor: 0, head: Math.max(0, this.total - 1) };
  }

  size(span: Span): number {
    const { left, right, top, bottom } = this.box(span);
    return (right - left + 1) * (bottom - top + 1);
  }

  /** Return how many of those that are chosen, or of all, stand how. */
  counts(span: Span | null): Map<PartitionWord, number> {
    const found = new Map<PartitionWord, number>();
    if (!this.total) return found;
    const { left, right, top, bottom } = this.box(span ?? this.whole());
    const tally = new Uint32Array(Math.max(1, this.statuses.length));
    for (let y = top; y <= bottom; y++) for (let x = left; x <= right; x++) tally[this.of[this.at(x, y)]]++;
    for (const word of PARTITION_WORDS) {
      const many = this.statuses.reduce((sum, status, i) => sum + (status.word === word ? tally[i] : 0), 0);
      if (many) found.set(word, many);
    }
    return found;
  }

  /** Return what is chosen as one types it: `a..b`, in two dimensions `a..b|c..d`. */
  text(span: Span): string {
    const { left, right, top, bottom } = this.box(span);
    const lying = range(this.across[left], this.across[right], left === right);
    if (!this.dimensions.length) return lying;
    const standing = range(this.down[top], this.down[bottom], top === bottom);
    return this.turned ? `${lying}|${standing}` : `${standing}|${lying}`;
  }

  /** Return what is chosen as the kernel is told: a range, or each key where keys could be taken for one. */
  asked(span: Span): string[] {
    const { left, right, top, bottom } = this.box(span);
    const ends = [this.across[left], this.across[right], ...(this.dimensions.length ? [this.down[top], this.down[bottom]] : [])];
    if (!ends.some((key) => UNCLEAR.test(key))) return [this.text(span)];
    const keys: string[] = [];
    for (let y = top; y <= bottom; y++) for (let x = left; x <= right; x++) keys.push(this.key(this.at(x, y)));
    return keys;
  }

  /** Return what a person has typed; null where there's no such partition. */
  read(text: string): Span | null {
    const [first, second] = this.dimensions.length ? text.split("|") : [text, undefined];
    const one = ends(this.dimensions.length ? this.rows : this.keys, first ?? "");
    const other = this.dimensions.length ? ends(this.keys, second ?? "*") : ([0, 0] as const);
    if (!one || !other) return null;
    const long = this.keys.length;
    if (!this.dimensions.length) return { anchor: one[0], head: one[1] };
    return { anchor: one[0] * long + other[0], head: one[1] * long + other[1] };
  }

  /** Return what is chosen after a key was pressed; null where the key says nothing here. */
  moved(span: Span | null, key: string, extend: boolean): Span | null {
    if (!this.total) return null;
    const page = Math.max(1, Math.round(this.columns / 10));
    const [x, y] = this.place(span?.head ?? 0);
    const to: Record<string, readonly [number, number]> = {
      ArrowRight: [x + 1, y],
      ArrowLeft: [x - 1, y],
      ArrowDown: [x, y + 1],
      ArrowUp: [x, y - 1],
      PageDown: [x + page, y],
      PageUp: [x - page, y],
      Home: [0, y],
      End: [this.columns - 1, y],
    };
    if (!(key in to) || (this.lines === 1 && (key === "ArrowUp" || key === "ArrowDown"))) return null;
    const [wantedX, wantedY] = span ? to[key] : [key === "End" ? this.columns - 1 : 0, 0];
    const head = this.at(clamp(wantedX, this.columns), clamp(wantedY, this.lines));
    return { anchor: extend && span ? span.anchor : head, head };
  }

  // -- what is drawn --------------------------------------------------------------------------------------------------

  /** Return the neighbours of one in its row that stand alike, both ends included. */
  alike(at: number): Span {
    const [x, y] = this.place(at);
    const same = (column: number): boolean => column >= 0 && column < this.columns && this.of[this.at(column, y)] === this.of[at];
    let [left, right] = [x, x];
    while (same(left - 1)) left--;
    while (same(right + 1)) right++;
    return { anchor: this.at(left, y), head: this.at(right, y) };
  }

  /**
   * Return what is drawn of the rows `top` to `bottom`, taken together: a segment per partition where there are few,
   * else at most `most` parts of equal width, those that look alike put together.
   */
  segments(top: number, bottom: number, most: number): Segment[] {
    const found: Segment[] = [];
    const parts = Math.min(this.columns, most);
    const single = this.columns <= most;
    for (let part = 0; part < parts; part++) {
      const from = Math.ceil((part * this.columns) / parts);
      const to = Math.ceil(((part + 1) * this.columns) / parts);
      const word = this.worst(from, to, top, bottom);
      const last = found[found.length - 1];
      if (last?.word === word && !single) found[found.length - 1] = { ...last, many: last.many + to - from };
      else found.push({ from, many: to - from, word });
    }
    return found;
  }

  private worst(left: number, right: number, top: number, bottom: number): PartitionWord {
    let rank = PARTITION_WORDS.length - 1;
    for (let y = top; y <= bottom; y++) for (let x = left; x < right; x++) rank = Math.min(rank, RANK[this.status(this.at(x, y)).word]);
    return PARTITION_WORDS[rank];
  }
}

function range(first: string, last: string, single: boolean): string {
  return single ? first : `${first}..${last}`;
}

function clamp(value: number, many: number): number {
  return Math.max(0, Math.min(many - 1, value));
}

/** Return the numbers of a key, of both ends of a range, or of all for `*`. */
function ends(keys: readonly string[], text: string): readonly [number, number] | null {
  const said = text.trim();
  if (said === "*") return keys.length ? [0, keys.length - 1] : null;
  const single = keys.indexOf(said);
  if (single >= 0) return [single, single];
  const [first, last] = said.split("..");
  if (last === undefined) return null;
  const pair = [first.trim() ? keys.indexOf(first.trim()) : 0, last.trim() ? keys.indexOf(last.trim()) : keys.length - 1] as const;
  return pair.every((at) => at >= 0) ? pair : null;
}

/** Return how many partitions are fresh, of how many: `31/365`. */
export function share(counts: Readonly<Record<string, number>>): string {
  const total = Object.values(counts).reduce((sum, many) => sum + many, 0);
  return `${(counts["fresh"] ?? 0).toLocaleString("en-US")}/${total.toLocaleString("en-US")}`;
}
