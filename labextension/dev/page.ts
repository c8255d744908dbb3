/** The page of the dev harness: `page.html?assets=100&theme=dark`; scripts reach the view through `window.lineage`. */

import { mount } from "../src/view/mount.js";
import { FakeHost } from "./fakehost.js";
import { snapshot } from "./generate.js";
import { shop, SHOP_DETAILS } from "./shop.js";

const asked = new URLSearchParams(location.search);
const count = Number(asked.get("assets") ?? 0);
const theme = asked.get("theme") === "dark" ? "dark" : "light";
document.body.style.background = theme === "dark" ? "#0f1216" : "#f3f5f7";
const host = new FakeHost(count ? snapshot(count) : asked.has("idle") ? { ...shop(), run: null } : shop(), theme, count ? {} : SHOP_DETAILS);
const place = document.getElementById("lineage")!;
const started = performance.now();
const mounted = mount(host, place, { height: asked.get("height") ?? "calc(100vh - 24px)" });
Object.assign(window, { lineage: { host, mounted, started } });
