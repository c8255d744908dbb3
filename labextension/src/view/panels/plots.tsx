/** Small plots: the history of a number, a histogram, the most frequent values. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";

import type { Bin, Point } from "../../protocol.js";
import { clock, number, plain, plural } from "../format.js";

const WIDE = 300;
const HIGH = 56;

/** Show how a number went: the line, its last value, and the value under the pointer. */
export function History({ name, points }: { name: string; points: readonly Point[] }): JSX.Element {
  const [pointed, setPointed] = useState<number | null>(null);
  const newest = points.length - 1;
  const at = Math.min(pointed ?? newest, newest);
  const values = points.map((point) => point.value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const x = (i: number): number => (newest > 0 ? 4 + ((WIDE - 8) * i) / newest : WIDE / 2);
  const y = (value: number): number => (high > low ? HIGH - 6 - ((HIGH - 12) * (value - low)) / (high - low) : HIGH / 2);
  const line = values.map((value, i) => `${i ? "L" : "M"}${x(i).toFixed(1)},${y(value).toFixed(1)}`).join("");
  const shown = points[at];
  const move = (event: PointerEvent): void => {
    const rect = (event.currentTarget as Element).getBoundingClientRect();
    const share = (event.clientX - rect.left) / rect.width;
    setPointed(Math.max(0, Math.min(newest, Math.round(share * newest))));
  };
  return (
    <figure class="ipyo-history">
      <figcaption>
        <span>{plain(name)}</span>
        <b>{number(shown.value)}</b>
        <span class="ipyo-soft">{clock(shown.when)}</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDE} ${HIGH}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${name} over ${plural(points.length, "materialization")}: from ${number(values[0])} to ${number(values[values.length - 1])}, between ${number(low)} and ${number(high)}`}
        onPointerMove={move}
        onPointerLeave={() => setPointed(null)}
      >
        <path class="is-area" d={`${line}L${x(newest)},${HIGH}L${x(0)},${HIGH}Z`} />
        <path class="is-line" d={line} vector-effect="non-scaling-stroke" />
        <circle cx={x(at)} cy={y(shown.value)} r={3} />
      </svg>
    </figure>
  );
}

/** Show a histogram, as wide as its column. */
export function Bars({ bins, label }: { bins: readonly Bin[]; label: string }): JSX.Element {
  const most = Math.max(1, ...bins.map((bin) => bin.count));
  const wide = 60 / bins.length;
  return (
    <svg class="ipyo-bars" viewBox="0 0 60 18" preserveAspectRatio="none" role="img" aria-label={label}>
      {bins.map((bin, i) => {
        const high = bin.count ? Math.max(1, (17 * bin.count) / most) : 0;
        return (
          <rect key={i} x={i * wide + 0.3} y={18 - high} width={Math.max(0.5, wide - 0.6)} height={high}>
            <title>{`${plain(bin.label)}: ${bin.count.toLocaleString("en-US")}`}</title>
          </rect>
        );
      })}
    </svg>
  );
}
