/** When an asset is made by itself: its freshness policy, and its automation condition as a tree. */

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import type { Condition, Freshness, Node } from "../../protocol.js";
import { ago, ahead, clock, plain } from "../format.js";
import { freshnessLook, freshnessText, freshnessWord } from "../status.js";
import { Section } from "./details.js";
import { Glyph, useActions, useView } from "./parts.js";

export function FreshnessFact({ freshness }: { freshness: Freshness }): JSX.Element {
  const { updated, until, policy } = freshness;
  const word = freshnessWord(freshness);
  const late = word === "overdue";
  return (
    <span class="ipyo-freshness">
      <span class={`ipyo-timed-word is-${freshnessLook(word)}`}>
        <Glyph look={freshnessLook(word)} size={12} />
        {freshnessText(word)}
      </span>
      <span class="ipyo-soft">
        {plain(policy)}
        {updated != null && <span title={clock(updated)}>{`, made ${ago(updated)}`}</span>}
        {until != null && <span title={clock(until)}>{late ? `, overdue since ${ago(until)}` : `, due ${ahead(until)}`}</span>}
      </span>
    </span>
  );
}

export function ConditionSection({ node, stamp }: { node: Node; stamp: string }): JSX.Element {
  const actions = useActions();
  const [told, setTold] = useState<Condition | null>(null);
  const { structure } = useView();
  useEffect(() => {
    let here = true;
    void actions.request({ kind: "condition", id: node.id }, "condition").then((answer) => here && setTold(answer?.condition ?? null));
    return () => {
      here = false;
    };
  }, [actions, node.id, stamp, structure]);
  return (
    <Section title="Automation" {...(told ? { note: plain(told.title) } : {})}>
      {told ? (
        <ul class="ipyo-tree" aria-label="Automation condition">
          <Branch condition={told} depth={1} />
        </ul>
      ) : (
        <p class="ipyo-soft ipyo-loading">Asking the kernel…</p>
      )}
    </Section>
  );
}

const SIGNS = { true: "✓", false: "✕", skipped: "·" } as const;
const SAID = { true: "true", false: "not true", skipped: "not looked at" } as const;
/** What is false stays open to this depth: there the reason is; what is skipped says nothing more. */
const OPEN_DEPTH = 3;

function Branch({ condition, depth }: { condition: Condition; depth: number }): JSX.Element {
  const { title, about = "", state, true: yes = 0, of = 0, target, below = [] } = condition;
  const [open, setOpen] = useState(depth < OPEN_DEPTH && state !== "skipped");
  const many = of > 1 ? `${yes.toLocaleString("en-US")} of ${of.toLocaleString("en-US")}` : "";
  const line = (
    <>
      <span class={`ipyo-sign is-${state}`} aria-hidden="true">
        {SIGNS[state]}
      </span>
      <span class="ipyo-said">{SAID[state]}: </span>
      <span>
        {plain(title)}
        {target && <span class="ipyo-soft"> of {plain(target)}</span>}
        {many && <span class="ipyo-soft"> {many}</span>}
        {about && about !== title && <span class="ipyo-soft ipyo-about"> {plain(about)}</span>}
      </span>
    </>
  );
  return (
    <li class={`is-${state}`}>
      {below.length ? (
        <button type="button" class="ipyo-branch" aria-expanded={open} onClick={() => setOpen(!open)}>
          {line}
          <span class="ipyo-soft" aria-hidden="true">
            {open ? "" : ` +${below.length}`}
          </span>
        </button>
      ) : (
        <div class="ipyo-branch">{line}</div>
      )}
      {open && below.length > 0 && (
        <ul>
          {below.map((one, i) => (
            <Branch key={i} condition={one} depth={depth + 1} />
          ))}
        </ul>
      )}
    </li>
  );
}
