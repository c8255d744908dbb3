/** The colours that the canvas draws with: those of the style sheet, which follow JupyterLab's theme. */

import type { Look } from "./status.js";

export interface Palette {
  readonly sans: string;
  readonly back: string;
  readonly card: string;
  readonly raised: string;
  readonly line: string;
  readonly strong: string;
  readonly edge: string;
  readonly ink: string;
  readonly soft: string;
  readonly faint: string;
  readonly brand: string;
  readonly ring: string;
  readonly group: string;
  readonly shadow: string;
  readonly looks: Readonly<Record<Look, string>>;
}

const NAMES = ["back", "card", "raised", "line", "strong", "edge", "ink", "soft", "faint", "brand", "ring", "group", "shadow"] as const;
const COLOURED: Readonly<Record<Look, string>> = {
  running: "running",
  waiting: "waiting",
  failed: "failed",
  "check-failed": "check-failed",
  stale: "stale",
  missing: "missing",
  evicted: "evicted",
  fresh: "fresh",
  cached: "fresh",
  external: "external",
  unknown: "missing",
};

/** Return the colours as they are now on `root`, each resolved to what a canvas understands. */
export function palette(root: HTMLElement): Palette {
  const probe = root.ownerDocument.createElement("span");
  probe.hidden = true;
  root.append(probe);
  const read = (name: string): string => {
    probe.style.color = `var(--ipyo-${name})`;
    return getComputedStyle(probe).color || "#888";
  };
  const looks = Object.fromEntries(Object.entries(COLOURED).map(([look, name]) => [look, read(name)])) as Record<Look, string>;
  const colours = Object.fromEntries(NAMES.map((name) => [name, read(name)])) as Record<(typeof NAMES)[number], string>;
  probe.style.fontFamily = "var(--ipyo-sans)";
  const sans = getComputedStyle(probe).fontFamily || "sans-serif";
  probe.remove();
  return { ...colours, sans, looks };
}
