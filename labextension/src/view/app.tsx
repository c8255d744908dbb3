/** The whole view. */

import type { JSX } from "preact";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import { Automations } from "./panels/automations.js";
import { Details } from "./panels/details.js";
import { GraphView, type GraphHandle } from "./panels/graphview.js";
import { JobPanel, JobRow } from "./panels/jobs.js";
import { Launchpad } from "./panels/launchpad.js";
import { ListView } from "./panels/listview.js";
import { Help, Notes } from "./panels/notes.js";
import { ActionsContext, Glyph, useActions, useView } from "./panels/parts.js";
import { RunBar } from "./panels/runbar.js";
import { Toolbar } from "./panels/toolbar.js";
import type { Actions } from "./state/actions.js";
import { GONE, RUN_AGAIN } from "./state/store.js";

export function App({ actions }: { actions: Actions }): JSX.Element {
  return (
    <ActionsContext.Provider value={actions}>
      <View />
    </ActionsContext.Provider>
  );
}

function View(): JSX.Element {
  const actions = useActions();
  const state = useView();
  const root = useRef<HTMLDivElement>(null);
  const handle = useMemo<GraphHandle>(() => ({ stage: null }), []);
  const [theme, themeCount] = useTheme(actions);
  const motion = useMotion();
  const reveal = useCallback((ids: readonly string[]) => handle.stage?.revealAll(ids), [handle]);
  const before = useRef({ mode: state.mode, panel: state.panel });
  useLayoutEffect(() => {
    // The keyboard's focus must not fall out of the view where what had it is gone, not even until the page is painted:
    // the next key would be a command of the notebook's.
    const was = before.current;
    before.current = { mode: state.mode, panel: state.panel };
    const lost = was.panel && was.panel !== state.panel && root.current!.ownerDocument.activeElement === root.current!.ownerDocument.body;
    if (was.mode === state.mode && !lost) return;
    const side = lost ? root.current!.querySelector<HTMLElement>(".ipyo-side button") : null;
    (side ?? root.current!.querySelector<HTMLElement>(".ipyo-canvas, .ipyo-list, .ipyo-timed"))?.focus({ preventScroll: true });
  }, [state.mode, state.panel]);
  const onKeyDown = (event: KeyboardEvent): void => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test((event.composedPath()[0] as Element).tagName);
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") root.current?.querySelector<HTMLElement>("[data-search]")?.focus();
    else if (event.key === "Escape" && (state.panel === "details" || state.panel === "job")) actions.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="ipyo-view" data-theme={theme} ref={root} onKeyDown={onKeyDown}>
      <Toolbar reveal={reveal} />
      {state.problem && (
        <div class="ipyo-problem" role="alert">
          <Glyph look="failed" /> {state.problem}
        </div>
      )}
      <JobRow />
      <div class="ipyo-main">
        <div class="ipyo-center">
          {state.mode === "graph" && <GraphView handle={handle} theme={themeCount} motion={motion} />}
          {state.mode === "list" && <ListView />}
          {state.mode === "automations" && !state.gone && <Automations />}
          {!state.graph && (state.gone ? <Gone /> : <Waiting />)}
          <Notes />
        </div>
        {state.panel === "details" && <Details />}
        {state.panel === "job" && <JobPanel />}
        {state.panel === "launchpad" && <Launchpad />}
      </div>
      <RunBar />
      <Help />
      <div class="ipyo-said" role="status" aria-live="polite">
        {state.said}
      </div>
    </div>
  );
}

function Waiting(): JSX.Element {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 4_000);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class="ipyo-empty">
      <strong>Waiting for the kernel…</strong>
      {late && <span>It doesn't answer. Where it was restarted, run the cell again that shows the lineage.</span>}
    </div>
  );
}

function Gone(): JSX.Element {
  return (
    <div class="ipyo-empty">
      <strong>{GONE}</strong>
      <span>{RUN_AGAIN}</span>
    </div>
  );
}

/** Return the page's theme, and a number that counts up with each change of it. */
function useTheme(actions: Actions): [string, number] {
  const [state, set] = useState<[string, number]>([actions.host.theme(), 0]);
  useEffect(() => actions.host.onTheme(() => set(([, count]) => [actions.host.theme(), count + 1])), [actions]);
  return state;
}

/** Return whether things may move: not where the person asked for less motion. */
function useMotion(): boolean {
  const query = useMemo(() => matchMedia("(prefers-reduced-motion: reduce)"), []);
  const [motion, set] = useState(!query.matches);
  useEffect(() => {
    const changed = (): void => set(!query.matches);
    query.addEventListener("change", changed);
    return () => query.removeEventListener("change", changed);
  }, [query]);
  return motion;
}
