/** Cards: how assets and folded groups are drawn, with less and less on them the farther one is. */

import { plain, plural } from "../format.js";
import { share } from "../state/partitions.js";
import { checksOf, nameOf, statusOf, type Graph } from "../state/graph.js";
import type { Item } from "../state/visible.js";
import { count, freshnessLook, freshnessText, freshnessWord, lookOf, LOOKS, sentence, tally, WORDS, type Look } from "../status.js";
import type { Palette } from "../theme.js";
import { GLYPHS } from "./glyphs.js";
import { endCut, middleCut, wide } from "./text.js";

export const CARD = { width: 204, row: 54, footer: 74, group: 84, radius: 7 } as const;

/** From which scale on what is drawn. */
export const DETAIL = { all: 0.5, title: 0.13 } as const;

export interface Pen {
  readonly context: CanvasRenderingContext2D;
  readonly palette: Palette;
  readonly scale: number;
  /** Seconds, for what moves; 0 where nothing shall move. */
  readonly clock: number;
}

export interface Mood {
  readonly selected: boolean;
  readonly hovered: boolean;
  readonly cursor: boolean;
  readonly dimmed: boolean;
}

/** Return a card's size; it depends on nothing that changes while things run. */
export function sizeOf(graph: Graph, item: Item): [number, number] {
  if (item.kind === "group") return [CARD.width, CARD.group];
  const node = graph.nodes[item.node];
  const footer = node.kinds?.length || node.checks?.length || node.partitioned || node.freshness;
  return [CARD.width, footer ? CARD.footer : CARD.row];
}

const paths = new Map<string, Path2D>();

function path(data: string): Path2D {
  let known = paths.get(data);
  if (!known) paths.set(data, (known = new Path2D(data)));
  return known;
}

/** Draw the shape of a status into a box of `size` at `x`, `y`. */
export function drawGlyph(pen: Pen, look: Look, x: number, y: number, size: number): void {
  const { context, palette, clock } = pen;
  const glyph = GLYPHS[look];
  context.save();
  context.translate(x, y);
  context.scale(size / 16, size / 16);
  context.lineCap = context.lineJoin = "round";
  if (look === "running" && clock) {
    context.translate(8, 8);
    context.rotate((clock * 2 * Math.PI) / 1.1);
    context.translate(-8, -8);
  }
  context.fillStyle = context.strokeStyle = palette.looks[look];
  if (glyph.fill) context.fill(path(glyph.path));
  else {
    context.lineWidth = 2;
    context.setLineDash((glyph.dash as number[] | undefined) ?? []);
    context.stroke(path(glyph.path));
  }
  if (glyph.mark) {
    context.setLineDash([]);
    context.lineWidth = 1.7;
    context.strokeStyle = palette.card;
    context.stroke(path(glyph.mark));
  }
  context.restore();
}

function box(context: CanvasRenderingContext2D, x: number, y: number, width: number, height: number, radius: number): void {
  context.beginPath();
  context.roundRect(x, y, width, height, radius);
}

export function drawCard(pen: Pen, graph: Graph, item: Item, x: number, y: number, width: number, height: number, mood: Mood): void {
  const { context } = pen;
  context.globalAlpha = mood.dimmed ? 0.32 : 1;
  if (item.kind === "group") drawGroup(pen, graph, item, x, y, width, height, mood);
  else drawAsset(pen, graph, item.node, x, y, width, height, mood);
  context.globalAlpha = 1;
}

// -- assets -----------------------------------------------------------------------------------------------------------

function drawAsset(pen: Pen, graph: Graph, at: number, x: number, y: number, width: number, height: number, mood: Mood): void {
  const { context, palette, scale } = pen;
  const node = graph.nodes[at];
  const look = lookOf(node);
  if (scale < DETAIL.title) return drawFar(pen, palette.looks[look], x, y, width, height, mood);
  frame(pen, x, y, width, height, mood, look === "external", look);
  stripe(pen, palette.looks[look], x, y, height);
  if (scale < DETAIL.all) return drawNear(pen, look, nameOf(node).name, x, y, width, height);
  const glyph = +size(pen, 13, 16, 10.5);
  drawGlyph(pen, look, x + 20 - glyph / 2, y + 18.5 - glyph / 2, glyph);
  const { name, path: before } = nameOf(node);
  drawTitle(pen, plain(name), plain(before), x + 33, y + 22.5, width - 45);
  context.font = `${size(pen, 11.5, 14.5, 9)}px ${palette.sans}`;
  const loud = look === "failed" || look === "check-failed" || look === "running";
  context.fillStyle = loud ? palette.looks[look] : palette.soft;
  context.fillText(endCut(context, plain(sentence(node)), width - 45), x + 33, y + 39.5);
  if (height > CARD.row) {
    footer(pen, graph, at, x, y + height - 23, width);
  }
  if (look === "running") drawProgress(pen, statusOf(node).progress ?? null, x, y, width, height);
}

/** Return the size of letters: somewhat larger where one is farther away, so that they can still be read. */
function size({ scale }: Pen, least: number, most: number, seen: number): string {
  return Math.min(most, Math.max(least, seen / scale)).toFixed(1);
}

/** Return the size of a title: as large as `size` says where it fits so, but no smaller than life. */
function titleSize(pen: Pen, name: string, room: number): string {
  const { context, palette } = pen;
  const wished = size(pen, 13, 18, 11);
  context.font = `600 ${wished}px ${palette.sans}`;
  const long = wide(context, name);
  return long <= room ? wished : Math.max(13, Math.floor((2 * +wished * room) / long) / 2).toFixed(1);
}

function drawTitle(pen: Pen, name: string, before: string, x: number, y: number, room: number): void {
  const { context, palette } = pen;
  const letters = titleSize(pen, name, room);
  const bold = `600 ${letters}px ${palette.sans}`;
  const light = `${letters}px ${palette.sans}`;
  context.font = bold;
  const long = wide(context, name);
  context.font = light;
  const lead = before ? wide(context, before) : 0;
  if (lead && lead + long <= room) {
    context.fillStyle = palette.faint;
    context.fillText(before, x, y);
  }
  context.font = bold;
  context.fillStyle = palette.ink;
  context.fillText(middleCut(context, name, room), lead + long <= room ? x + lead : x, y);
}

function footer(pen: Pen, graph: Graph, at: number, x: number, y: number, width: number): void {
  const { context, palette } = pen;
  const node = graph.nodes[at];
  let right = x + width - 12;
  const counts = tally(checksOf(node));
  context.textAlign = "right";
  for (const [sign, number, colour] of [
    ["✕", counts.bad, palette.looks.failed],
    ["!", counts.warned, palette.looks.stale],
    ["✓", counts.passed, palette.looks.fresh],
    ["–", counts.open, palette.faint],
  ] as const) {
    if (!number) continue;
    context.font = `11px ${palette.sans}`;
    context.fillStyle = palette.soft;
    context.fillText(String(number), right, y + 11);
    right -= wide(context, String(number)) + 3;
    context.font = `700 11px ${palette.sans}`;
    context.fillStyle = colour;
    context.fillText(sign, right, y + 11);
    right -= wide(context, sign) + 8;
  }
  context.textAlign = "left";
  let left = x + 33;
  context.font = `${size(pen, 10.5, 13, 8)}px ${palette.sans}`;
  const parted = statusOf(node).partitions;
  if (parted) left = partitionBar(pen, parted, left, y, right);
  if (node.freshness) left = dueMark(pen, freshnessWord(node.freshness), left, y, right);
  const chips = [...(node.partitioned && !parted ? ["partitioned"] : []), ...(node.kinds ?? [])];
  for (const chip of chips) {
    const text = endCut(context, plain(chip), 80);
    const long = wide(context, text) + 12;
    if (left + long > right) break;
    context.fillStyle = palette.raised;
    box(context, left, y - 1, long, 16, 4);
    context.fill();
    context.fillStyle = palette.soft;
    context.fillText(text, left + 6, y + 10.5);
    left += long + 5;
  }
}

/** The partitions by status, best first, each at least as wide as can be seen; beside it how many are fresh. */
function partitionBar(pen: Pen, counts: Readonly<Record<string, number>>, x: number, y: number, right: number): number {
  const { context, palette } = pen;
  const text = share(counts);
  const width = Math.min(46, right - x - wide(context, text) - 6);
  if (width < 14) return x;
  const order = ["fresh", "external", "evicted", "stale", "failed", "missing"] as const;
  const words = order.filter((word) => counts[word]);
  const total = words.reduce((sum, word) => sum + counts[word], 0) || 1;
  const wished = words.map((word) => Math.max(2.5, (width * counts[word]) / total));
  const factor = width / wished.reduce((a, b) => a + b, 0);
  context.save();
  box(context, x, y + 3.5, width, 7, 3.5);
  context.fillStyle = palette.raised;
  context.fill();
  context.clip();
  let at = x;
  words.forEach((word, i) => {
    const long = wished[i] * factor;
    context.fillStyle = palette.looks[word];
    if (word !== "missing") context.fillRect(at, y + 3.5, long, 7);
    at += long;
  });
  context.restore();
  box(context, x + 0.5, y + 4, width - 1, 6, 3);
  context.lineWidth = 1;
  context.strokeStyle = palette.strong;
  context.stroke();
  context.fillStyle = palette.soft;
  context.fillText(text, x + width + 6, y + 10.5);
  return x + width + wide(context, text) + 14;
}

/** How an asset does by its freshness policy: a clock, and a word. */
function dueMark(pen: Pen, word: Parameters<typeof freshnessText>[0], x: number, y: number, right: number): number {
  const { context, palette } = pen;
  const text = freshnessText(word);
  const long = wide(context, text) + 14;
  if (x + long > right) return x;
  const loud = word === "overdue" || word === "warning";
  context.strokeStyle = context.fillStyle = loud ? palette.looks[freshnessLook(word)] : palette.soft;
  context.lineWidth = 1.2;
  context.beginPath();
  context.arc(x + 4.5, y + 7, 4.2, 0, 2 * Math.PI);
  context.moveTo(x + 4.5, y + 4.6);
  context.lineTo(x + 4.5, y + 7.2);
  context.lineTo(x + 6.3, y + 8.3);
  context.stroke();
  context.fillText(text, x + 12, y + 10.5);
  return x + long + 6;
}

function drawProgress(pen: Pen, progress: { started: number; expected?: number } | null, x: number, y: number, width: number, height: number): void {
  const { context, palette, clock } = pen;
  context.save();
  box(context, x + 0.5, y + 0.5, width - 1, height - 1, CARD.radius);
  context.clip();
  context.fillStyle = palette.looks.running;
  const top = y + height - 3;
  const expected = progress?.expected ?? 0;
  const share = expected ? (Date.now() / 1000 - progress!.started) / expected : 0;
  if (expected && share < 1) context.fillRect(x, top, width * Math.min(0.97, Math.max(0.03, share)), 3);
  else if (clock) context.fillRect(x - 70 + ((clock * 130) % (width + 70)), top, 70, 3);
  else context.fillRect(x, top, width, 3);
  context.restore();
}

// -- folded groups ----------------------------------------------------------------------------------------------------

function drawGroup(pen: Pen, graph: Graph, item: Extract<Item, { kind: "group" }>, x: number, y: number, width: number, height: number, mood: Mood): void {
  const { context, palette, scale } = pen;
  const counts = counted(graph, item);
  const worst = LOOKS.find((look) => counts.has(look)) ?? "unknown";
  if (scale < DETAIL.title) return drawFar(pen, palette.looks[worst], x, y, width, height, mood);
  context.lineWidth = 1;
  context.strokeStyle = palette.line;
  context.fillStyle = palette.card;
  for (const step of [6, 3]) {
    box(context, x + step + 0.5, y + step + 0.5, width - 1 - 2 * step, height - 1, CARD.radius);
    context.fill();
    context.stroke();
  }
  frame(pen, x, y, width, height, mood, false, worst);
  const name = plain(graph.groups[item.group]);
  if (scale < DETAIL.all) {
    drawNear(pen, worst, name, x, y, width, height - 12);
    return shares(pen, counts, item.members.length, x + 14, y + height - 18, width - 28, 8);
  }
  chevron(pen, x + 14, y + 17, false);
  context.font = `600 ${titleSize(pen, name, width - 50)}px ${palette.sans}`;
  context.fillStyle = palette.ink;
  context.fillText(middleCut(context, name, width - 50), x + 33, y + 22.5);
  context.font = `${size(pen, 11.5, 14.5, 9)}px ${palette.sans}`;
  context.fillStyle = palette.soft;
  context.fillText(endCut(context, told(counts, item.members.length), width - 45), x + 33, y + 40);
  shares(pen, counts, item.members.length, x + 14, y + height - 21, width - 28, 7);
}

const counts = new WeakMap<Item, { revision: number; counts: Map<Look, number> }>();

function counted(graph: Graph, item: Extract<Item, { kind: "group" }>): ReadonlyMap<Look, number> {
  let known = counts.get(item);
  if (known?.revision !== graph.revision) {
    known = { revision: graph.revision, counts: count(item.members.map((v) => graph.nodes[v])) };
    counts.set(item, known);
  }
  return known.counts;
}

/** Return `24 assets · 3 stale, 1 failed`: what needs somebody comes after the number. */
function told(counts: ReadonlyMap<Look, number>, members: number): string {
  const loud = (["running", "failed", "check-failed", "stale"] as const).filter((look) => counts.has(look));
  if (!loud.length) return plural(members, "asset");
  const parts = loud.map((look) => `${counts.get(look)} ${WORDS[look].toLowerCase()}`);
  return `${plural(members, "asset")} · ${parts.join(", ")}`;
}

/** Draw how many of a group have which status, each part with a gap and no shorter than can be seen. */
function shares({ context, palette }: Pen, counts: ReadonlyMap<Look, number>, members: number, x: number, y: number, width: number, height: number): void {
  const looks = LOOKS.filter((look) => counts.has(look)).reverse();
  const room = width - 2 * (looks.length - 1);
  const least = 5;
  const wished = looks.map((look) => Math.max(least, (room * counts.get(look)!) / members));
  const factor = room / wished.reduce((a, b) => a + b, 0);
  looks.forEach((look, i) => {
    const long = wished[i] * factor;
    box(context, x, y, long, height, Math.min(height / 2, long / 2));
    if (look === "missing" || look === "external" || look === "evicted") {
      context.strokeStyle = palette.looks[look];
      context.lineWidth = 1;
      context.stroke();
    } else {
      context.fillStyle = palette.looks[look];
      context.fill();
    }
    x += long + 2;
  });
}

/** Layers of a shadow: by how much they are larger, and lower, than the card. Blurs are slow without a GPU. */
const SHADOWS = [
  [4, 4],
  [2.5, 2.5],
  [1, 1.5],
] as const;

// -- what both have ---------------------------------------------------------------------------------------------------

/** What needs somebody, or is at work, colours its whole card, so that it is seen from afar; what is well stays quiet. */
const TINTS: Partial<Record<Look, number>> = { failed: 0.13, "check-failed": 0.12, stale: 0.09, running: 0.1 };

function frame({ context, palette, scale }: Pen, x: number, y: number, width: number, height: number, mood: Mood, dashed: boolean, look: Look): void {
  if (scale >= 0.35 && !mood.dimmed) {
    context.fillStyle = palette.shadow;
    for (const [grow, drop] of mood.hovered ? SHADOWS : SHADOWS.slice(-1)) {
      box(context, x - grow, y - grow + drop, width + 2 * grow, height + 2 * grow, CARD.radius + grow);
      context.fill();
    }
  }
  context.fillStyle = palette.card;
  box(context, x, y, width, height, CARD.radius);
  context.fill();
  if (mood.selected || mood.cursor) {
    context.strokeStyle = palette.ring;
    context.lineWidth = 6;
    context.stroke();
    context.fill();
  }
  const tint = TINTS[look];
  if (tint) {
    const alpha = context.globalAlpha;
    context.globalAlpha = alpha * tint;
    context.fillStyle = palette.looks[look];
    context.fill();
    context.globalAlpha = alpha;
  }
  context.setLineDash(dashed ? [5, 4] : []);
  context.lineWidth = (mood.selected ? 2 : 1) * Math.max(1, 0.7 / scale);
  context.strokeStyle = mood.selected || mood.cursor ? palette.brand : mood.hovered ? palette.strong : tint ? palette.looks[look] : palette.line;
  const inset = mood.selected ? 0 : 0.5;
  box(context, x + inset, y + inset, width - 2 * inset, height - 2 * inset, CARD.radius);
  context.stroke();
  context.setLineDash([]);
}

function stripe({ context }: Pen, colour: string, x: number, y: number, height: number): void {
  context.fillStyle = colour;
  box(context, x + 4, y + 7, 3, height - 14, 1.5);
  context.fill();
}

/** From afar: the shape and the name, larger than life, so that they can still be read. */
function drawNear(pen: Pen, look: Look, name: string, x: number, y: number, width: number, height: number): void {
  const { context, palette, scale } = pen;
  const size = Math.min(26, 11 / scale);
  const glyph = Math.min(26, size * 1.05);
  drawGlyph(pen, look, x + 14, y + (height - glyph) / 2, glyph);
  context.font = `600 ${size.toFixed(1)}px ${palette.sans}`;
  context.fillStyle = palette.ink;
  const left = 14 + glyph + size * 0.45;
  context.fillText(middleCut(context, plain(name), width - left - 10), x + left, y + height / 2 + size * 0.36);
}

/** From very far: a coloured block. */
function drawFar({ context, palette }: Pen, colour: string, x: number, y: number, width: number, height: number, mood: Mood): void {
  context.fillStyle = colour;
  context.fillRect(x, y, width, height);
  if (mood.selected || mood.cursor || mood.hovered) {
    context.strokeStyle = palette.brand;
    context.lineWidth = 24;
    context.strokeRect(x, y, width, height);
  }
}

/** Draw the sign of a fold: to the right where it's folded, down where it isn't. */
export function chevron({ context, palette }: Pen, x: number, y: number, open: boolean): void {
  context.strokeStyle = palette.soft;
  context.lineWidth = 1.8;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  if (open) {
    context.moveTo(x, y - 2);
    context.lineTo(x + 4.5, y + 3);
    context.lineTo(x + 9, y - 2);
  } else {
    context.moveTo(x + 2, y - 4.5);
    context.lineTo(x + 7, y);
    context.lineTo(x + 2, y + 4.5);
  }
  context.stroke();
}

