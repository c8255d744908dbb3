/** Text on the canvas, cut to the room that there is. */

const widths = new Map<string, Map<string, number>>();
const MOST_KEPT = 40_000;

/** Return how wide a text is in the context's font; measured once. */
export function wide(context: CanvasRenderingContext2D, text: string): number {
  let known = widths.get(context.font);
  if (!known || known.size > MOST_KEPT) widths.set(context.font, (known = new Map()));
  let width = known.get(text);
  if (width === undefined) known.set(text, (width = context.measureText(text).width));
  return width;
}

const cuts = new Map<string, string>();

/** Return the text, its middle left out where it's too long: names differ at both ends. */
export function middleCut(context: CanvasRenderingContext2D, text: string, room: number): string {
  return cut(context, text, room, "middle", (kept) => {
    const head = Math.ceil(kept * 0.6);
    return `${text.slice(0, head).trimEnd()}…${text.slice(text.length - (kept - head))}`;
  });
}

/** Return the text, its end left out where it's too long. */
export function endCut(context: CanvasRenderingContext2D, text: string, room: number): string {
  return cut(context, text, room, "end", (kept) => `${text.slice(0, kept).trimEnd()}…`);
}

function cut(
  context: CanvasRenderingContext2D,
  text: string,
  room: number,
  where: string,
  shortened: (kept: number) => string,
): string {
  const key = `${where} ${Math.round(room)} ${context.font} ${text}`;
  const known = cuts.get(key);
  if (known !== undefined) return known;
  if (cuts.size > MOST_KEPT) cuts.clear();
  const long = text.length > 400 ? text.slice(0, 400) : text;
  let result = long;
  if (long !== text || context.measureText(long).width > room) {
    let [fits, not] = [1, long.length];
    while (not - fits > 1) {
      const kept = (fits + not) >> 1;
      if (context.measureText(shortened(kept)).width <= room) fits = kept;
      else not = kept;
    }
    result = shortened(fits);
  }
  cuts.set(key, result);
  return result;
}
