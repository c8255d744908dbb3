import { describe, expect, it } from "vitest";

import { between, fitted, panned, revealing, zoomed } from "../src/view/canvas/camera.js";
import { ago, bytes, duration, number, plain, scalar, webAddress } from "../src/view/format.js";
import { ticksOf } from "../src/view/panels/runbar.js";

describe("format", () => {
  it("says durations, sizes, ages and numbers as people do", () => {
    expect([0.0004, 0.0124, 1.24, 75, 3700].map(duration)).toEqual(["< 1 ms", "12 ms", "1.2 s", "1 min 15 s", "1 h 1 min"]);
    expect([12, 61_234_000].map(bytes)).toEqual(["12 B", "61 MB"]);
    expect(ago(100, 220)).toBe("2 min ago");
    expect([2013, 336776, 1.23456789].map(number)).toEqual(["2013", "336,776", "1.23457"]);
    expect([null, 1.1, "x", true].map(scalar)).toEqual(["null", "1.1", "x", "true"]);
  });

  it("takes ANSI escapes and control characters out of a text", () => {
    expect(plain("\u001b[31mred\u001b[0m\u0007 \u001b]8;;http://x\u0007link\n")).toBe("red link\n");
  });

  it.each(["javascript:alert(1)", "data:text/html,x", "vbscript:x", "/relative", "", "file:///etc/passwd"])("makes no link of %s", (text) => {
    expect(webAddress(text)).toBeNull();
  });

  it("makes links of http and https", () => {
    expect(webAddress("https://example.com/a")).toBe("https://example.com/a");
  });

  it.each([0.003, 0.4, 7, 61, 5000])("marks the time axis of %d s with a few round numbers", (span) => {
    const ticks = ticksOf(span);
    expect(ticks.length).toBeGreaterThanOrEqual(3);
    expect(ticks.length).toBeLessThanOrEqual(6);
    expect(Math.max(...ticks)).toBeLessThan(span);
  });
});

describe("camera", () => {
  const view = { width: 800, height: 400 };
  const camera = { x: 10, y: 20, scale: 0.5 };

  it("zooms about the pointer, and pans by what is dragged", () => {
    const near = zoomed(camera, 2, 100, 50);
    expect(near.x + 100 / near.scale).toBeCloseTo(camera.x + 100 / camera.scale);
    expect(panned(camera, 50, 0).x).toBe(10 - 100);
  });

  it("fits all into the view, no larger than life", () => {
    expect(fitted({ x: 0, y: 0, width: 10, height: 10 }, view).scale).toBeLessThanOrEqual(1.05);
    const all = fitted({ x: 0, y: 0, width: 10_000, height: 10 }, view);
    expect(all.x).toBeLessThan(0);
    expect(all.x + view.width / all.scale).toBeGreaterThan(10_000);
  });

  it("moves no more than needed to reveal a card, and glides to where it shall", () => {
    const seen = { x: 400, y: 200, width: 100, height: 60 };
    expect(revealing(camera, seen, view)).toEqual(camera);
    const shown = revealing(camera, { ...seen, x: 5_000 }, view);
    expect(shown.x + view.width / shown.scale).toBeGreaterThan(5_100);
    expect(between(camera, shown, view, 1)).toEqual(shown);
  });
});
