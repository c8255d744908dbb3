/** A menu: of commands for a card, or below a button. Arrow keys move in it, Escape closes it. */

import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

import { Icon, type IconName } from "./parts.js";

export interface Entry {
  readonly text: string;
  readonly hint?: string;
  readonly icon?: IconName;
  readonly disabled?: boolean;
  readonly run: () => void;
}

export type Entries = readonly (Entry | "line")[];

interface Props {
  readonly entries: Entries;
  readonly label: string;
  /** Where in the view its corner stands. */
  readonly x: number;
  readonly y: number;
  /** Whether it hangs at its right corner. */
  readonly right?: boolean;
  readonly close: () => void;
}

export function Menu({ entries, label, x, y, right = false, close }: Props): JSX.Element {
  const list = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = list.current!;
    const room = (element.offsetParent ?? element.parentElement)!.getBoundingClientRect();
    const { width, height } = element.getBoundingClientRect();
    const left = right ? x - width : x;
    element.style.left = `${Math.max(4, Math.min(left, room.width - width - 4))}px`;
    element.style.top = `${Math.max(4, Math.min(y, room.height - height - 4))}px`;
    element.querySelector<HTMLElement>("[role=menuitem]:not(:disabled)")?.focus();
  }, [x, y, right]);
  useEffect(() => {
    const page = list.current!.ownerDocument;
    const away = (event: Event): void => {
      if (!event.composedPath().includes(list.current!)) close();
    };
    page.addEventListener("pointerdown", away, true);
    return () => page.removeEventListener("pointerdown", away, true);
  }, [close]);
  const onKeyDown = (event: KeyboardEvent): void => {
    const items = [...list.current!.querySelectorAll<HTMLElement>("[role=menuitem]:not(:disabled)")];
    const root = list.current!.getRootNode() as Document | ShadowRoot;
    const at = items.indexOf(root.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to !== undefined) items[(to + items.length) % items.length]?.focus();
    else if (event.key === "Escape" || event.key === "Tab") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="ipyo-menu" role="menu" aria-label={label} ref={list} onKeyDown={onKeyDown}>
      {entries.map((entry, i) =>
        entry === "line" ? (
          <div key={i} class="ipyo-menu-line" role="separator" />
        ) : (
          <button
            key={i}
            type="button"
            role="menuitem"
            tabIndex={-1}
            disabled={entry.disabled}
            onClick={() => {
              close();
              entry.run();
            }}
          >
            <span class="ipyo-menu-icon">{entry.icon && <Icon name={entry.icon} size={14} />}</span>
            <span class="ipyo-menu-text">{entry.text}</span>
            {entry.hint && <span class="ipyo-menu-hint">{entry.hint}</span>}
          </button>
        ),
      )}
    </div>
  );
}
