/** Numbers, times and texts as people read them. */

export function duration(seconds: number): string {
  if (seconds < 0.001) return seconds > 0 ? "< 1 ms" : "0 s";
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function bytes(number: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let at = 0;
  let value = number;
  for (; value >= 1000 && at < units.length - 1; at++) value /= 1000;
  return `${at && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[at]}`;
}

export function ago(when: number, now: number = Date.now() / 1000): string {
  const seconds = Math.max(0, now - when);
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

/** Return how far ahead a moment is: `in 3 h`. */
export function ahead(when: number, now: number = Date.now() / 1000): string {
  const seconds = when - now;
  if (seconds < 1) return "now";
  if (seconds < 60) return `in ${Math.round(seconds)} s`;
  if (seconds < 3600) return `in ${Math.round(seconds / 60)} min`;
  if (seconds < 86400) return `in ${Math.round(seconds / 3600)} h`;
  return `in ${Math.round(seconds / 86400)} d`;
}

export function clock(when: number): string {
  return new Date(when * 1000).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

export function number(value: number): string {
  if (Number.isInteger(value)) return Math.abs(value) < 10_000 ? String(value) : value.toLocaleString("en-US");
  const size = Math.abs(value);
  return size >= 1e7 || size < 1e-4 ? value.toExponential(3) : value.toLocaleString("en-US", { maximumSignificantDigits: 6 });
}

/** Return a cell of a table as text. */
export function scalar(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : String(+value.toPrecision(7));
  return String(value);
}

export function plural(count: number, one: string, many: string = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}

/** Return the text without ANSI escapes and control characters. */
export function plain(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/\u001b\[[0-9;?]*[ -/]*[@-~]|\u001b\][^\u0007]*(\u0007|\u001b\\)|[\u0000-\u0008\u000b-\u001f\u007f]/g, "");
}

/** Return the address if it's one of the web, else null: nothing else becomes a link. */
export function webAddress(text: string | undefined): string | null {
  if (!text) return null;
  try {
    const url = new URL(text);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}
