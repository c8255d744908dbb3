// Shows the built widget (no Node needed) with a generated graph, and measures it: `page.html?assets=1000&unfolded`.

import widget from "../../../ipy_orch/ui/static/lineage.js";

const asked = new URLSearchParams(location.search);
const count = Number(asked.get("assets") ?? 100);

/** Numbers from 0 to 1, the same each time (mulberry32). */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function snapshot() {
  const next = random(1);
  const words = ["fresh", "fresh", "fresh", "stale", "missing", "failed"];
  const nodes = Array.from({ length: count }, (_, i) => ({
    id: `stage_${Math.floor(i / 50)}/asset_${i}`,
    group: `stage_${Math.floor(i / 50)}`,
    kinds: ["pandas"],
    description: "One row for each order that was paid.",
    status: { word: words[Math.floor(next() * words.length)], reason: "code changed" },
    checks: next() < 0.3 ? [{ name: "unique", status: "passed" }] : [],
  }));
  const width = Math.max(3, Math.round(Math.sqrt(count)));
  const seen = new Set();
  const edges = [];
  for (let i = 0; i < count * 1.6; i++) {
    const to = Math.floor(next() * (count - 1)) + 1;
    const from = Math.max(0, to - 1 - Math.floor(next() * (next() < 0.9 ? 2 : 8) * width));
    if (from >= to || seen.has(from * count + to)) continue;
    seen.add(from * count + to);
    edges.push([from, to]);
  }
  const shown = asked.has("unfolded") ? nodes.map((node) => node.id) : null;
  return { kind: "snapshot", version: 1, nodes, edges, groups: [], jobs: [], shown };
}

const frame = () => new Promise((done) => requestAnimationFrame(done));
const middle = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const worst = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length * 0.95)];
const times = (globalThis.ipyoTimes = []);

/** Drag the graph to and fro for a second; return milliseconds between frames, and those spent on drawing. */
async function pan(canvas) {
  const point = (kind, x, y) =>
    canvas.dispatchEvent(new PointerEvent(kind, { clientX: x, clientY: y, pointerId: 1, buttons: 1, bubbles: true }));
  canvas.setPointerCapture = () => undefined;
  times.length = 0;
  const gaps = [];
  point("pointerdown", 600, 300);
  let before = performance.now();
  for (let i = 0; i < 60; i++) {
    point("pointermove", 600 + 220 * Math.sin(i / 6), 300 + 120 * Math.sin(i / 9));
    await frame();
    const now = performance.now();
    gaps.push(now - before);
    before = now;
  }
  point("pointerup", 600, 300);
  const draws = times.filter((time) => time.name === "draw").map((time) => time.ms);
  return { gap: middle(gaps), gap95: worst(gaps), draw: middle(draws), draw95: worst(draws) };
}

async function measure() {
  const sent = snapshot();
  const text = JSON.stringify(sent);
  let heard = () => undefined;
  const model = {
    get: () => undefined,
    on: (_, call) => (heard = call),
    off: () => undefined,
    send: () => undefined,
  };
  const place = document.getElementById("lineage");
  const close = widget.render({ model, el: place });
  await new Promise((done) => setTimeout(done, 150)); // a kernel's answer takes 60 to 170 ms
  const start = performance.now();
  heard(JSON.parse(text));
  while (!times.some((time) => time.name === "draw")) await frame();
  const paint = times.find((time) => time.name === "draw");
  const result = { assets: count, bytes: text.length, firstPaint: paint.start + paint.ms - start, layout: last("layout") };
  const canvas = place.querySelector("canvas");
  const key = async (name) => {
    canvas.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
    await frame();
    await frame();
    await new Promise((done) => setTimeout(done, 600));
  };
  result.first = await pan(canvas);
  await key("0");
  result.fit = await pan(canvas);
  times.length = 0;
  const unfold = performance.now();
  canvas.dispatchEvent(new KeyboardEvent("keydown", { key: "]", bubbles: true }));
  while (!times.some((time) => time.name === "layout")) await frame();
  while (!times.some((time) => time.name === "draw")) await frame();
  result.unfold = performance.now() - unfold;
  result.unfoldedLayout = last("layout");
  await key("0");
  result.unfoldedFit = await pan(canvas);
  for (let i = 0; i < 12; i++) await key("+");
  result.unfoldedNear = await pan(canvas);
  close();
  return result;
}

function last(name) {
  return times.filter((time) => time.name === name).at(-1)?.ms;
}

globalThis.measured = measure();
