/** Small parts that all panels use: icons, buttons, the shape of a status. */

import { createContext, type ComponentChildren, type JSX } from "preact";
import { useContext, useEffect, useId, useLayoutEffect, useState } from "preact/hooks";

import { GLYPHS } from "../canvas/glyphs.js";
import { plain } from "../format.js";
import type { Actions } from "../state/actions.js";
import type { State } from "../state/store.js";
import type { Look } from "../status.js";

export const ActionsContext = createContext<Actions>(null as unknown as Actions);

export function useActions(): Actions {
  return useContext(ActionsContext);
}

/** Return an id that no other element has, also not one of another view on the page. */
export function useUid(): string {
  return `${useActions().prefix}-${useId()}`;
}

/** Return the state, and be drawn again when it changes: from this drawing on, not from when the page is painted. */
export function useView(): State {
  const { store } = useActions();
  const [state, set] = useState(store.state);
  useLayoutEffect(() => {
    set(store.state);
    return store.subscribe(() => set(store.state));
  }, [store]);
  return state;
}

const ICONS = {
  search: "M11.5 11.5L14.5 14.5M7 2.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 1 1 0-9z",
  close: "M4 4l8 8M12 4l-8 8",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  fit: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
  graph: "M2.5 3h4v3h-4zM9.5 10h4v3h-4zM2.5 10h4v3h-4zM6.5 4.5h2v7h1M6.5 11.5h3",
  list: "M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4h.01M2.5 8h.01M2.5 12h.01",
  down: "M4 6l4 4l4-4",
  right: "M6 4l4 4l-4 4",
  play: "M4.5 3v10l8.5-5z",
  stop: "M4 4h8v8h-8z",
  sliders: "M2.5 5h5M11.5 5h2M2.5 11h2M8.5 11h5M9.5 3.2a1.8 1.8 0 1 1 0 3.6a1.8 1.8 0 1 1 0-3.6zM6.5 9.2a1.8 1.8 0 1 1 0 3.6a1.8 1.8 0 1 1 0-3.6z",
  focus: "M8 5.5a2.5 2.5 0 1 1 0 5a2.5 2.5 0 1 1 0-5zM8 1.5v2M8 12.5v2M1.5 8h2M12.5 8h2",
  turnDown: "M3 3h7M6.5 6v7M3.5 10l3 3l3-3",
  turnRight: "M3 3v7M6 6.5h7M10 3.5l3 3l-3 3",
  fold: "M3 8h10M8 1.5v4M6 3.8l2 2l2-2M8 14.5v-4M6 12.2l2-2l2 2",
  unfold: "M3 8h10M8 5.5v-4M6 3.2l2-2l2 2M8 10.5v4M6 12.8l2 2l2-2",
  timeline: "M2.5 4h5M5.5 8h6M9 12h4.5",
  cell: "M2.5 3h11v10h-11zM5 6.5l2 1.5l-2 1.5M8.5 10h2.5",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  help: "M5.8 6a2.2 2.2 0 1 1 3.2 2c-.7.4-1 .8-1 1.6M8 12.2v.01",
  job: "M3 2.5h7l3 3v8h-10zM6 7.2v4.2l3.4-2.1z",
  clock: "M8 2a6 6 0 1 1 0 12a6 6 0 1 1 0-12zM8 4.8v3.4l2.3 1.5",
  tick: "M8.8 1.8L4 9h3.6l-.6 5.2L12 7H8.3z",
  copy: "M5.5 5.5h8v8h-8zM3.5 10.5h-1v-8h8v1",
} as const;

export type IconName = keyof typeof ICONS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }): JSX.Element {
  const solid = name === "play" || name === "stop";
  return (
    <svg class="ipyo-icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={ICONS[name]} class={solid ? "is-solid" : ""} />
    </svg>
  );
}

/** Show the shape of a status; words stand beside it, or are its label. */
export function Glyph({ look, size = 14, label }: { look: Look; size?: number; label?: string }): JSX.Element {
  const glyph = GLYPHS[look];
  const named = label ? { role: "img" as const, "aria-label": label } : { "aria-hidden": "true" as const };
  return (
    <svg class={`ipyo-glyph is-${look}`} width={size} height={size} viewBox="0 0 16 16" focusable="false" {...named}>
      <path d={glyph.path} class={glyph.fill ? "is-solid" : "is-line"} {...(glyph.dash ? { "stroke-dasharray": glyph.dash.join(" ") } : {})} />
      {glyph.mark && <path d={glyph.mark} class="is-mark" />}
    </svg>
  );
}

interface ButtonProps {
  readonly children?: ComponentChildren;
  readonly icon?: IconName;
  readonly label?: string;
  readonly kind?: "plain" | "primary" | "quiet" | "danger";
  readonly pressed?: boolean;
  readonly expanded?: boolean;
  readonly disabled?: boolean;
  readonly class?: string;
  readonly onClick: (event: MouseEvent) => void;
}

export function Button({ children, icon, label, kind = "plain", pressed, expanded, disabled, onClick, ...rest }: ButtonProps): JSX.Element {
  return (
    <button
      type="button"
      class={`ipyo-button is-${kind} ${children ? "" : "is-square"} ${rest.class ?? ""}`}
      title={label}
      aria-label={children ? undefined : label}
      aria-pressed={pressed}
      aria-expanded={expanded}
      aria-haspopup={expanded === undefined ? undefined : "menu"}
      disabled={disabled}
      onClick={onClick}
    >
      {icon && <Icon name={icon} />}
      {children && <span>{children}</span>}
    </button>
  );
}

/** A name that opens something, with the shape of its status where it has one. */
export function Link({ id, open, look }: { id: string; open: () => void; look?: Look }): JSX.Element {
  return (
    <button type="button" class="ipyo-link" onClick={open}>
      {look && <Glyph look={look} size={11} />}
      {plain(id)}
    </button>
  );
}

/** Return a number that counts up every second while `on`: for durations of what runs. */
export function useSeconds(on: boolean): number {
  const [now, set] = useState(Date.now() / 1000);
  useEffect(() => {
    if (!on) return;
    const timer = setInterval(() => set(Date.now() / 1000), 500);
    return () => clearInterval(timer);
  }, [on]);
  return on ? Math.max(now, Date.now() / 1000) : now;
}
