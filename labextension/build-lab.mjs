// Build the JupyterLab extension: share/jupyter/labextensions/ipy-orch/, which the wheel holds.
//
// esbuild bundles the entry with the view, JupyterLab's own packages left out; @jupyter/builder federates that, so that
// JupyterLab gives it its packages when it loads it.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "share", "jupyter", "labextensions", "ipy-orch");
const MOST = 700 * 1024;
const INSTALL = { packageManager: "python", packageName: "ipy-orch", uninstallInstructions: "pip uninstall ipy-orch" };
const KEPT = ["name", "version", "description", "license", "main", "style", "jupyterlab"];

/** Return the hash of everything the extension is made from; tests/ui compares it with the sources. */
function sourcesHash() {
  const files = ["package-lock.json", "package.json", "build-lab.mjs", "federation.cjs", ...walk("schema"), ...walk("src")].sort();
  const hash = createHash("sha256");
  for (const file of files) hash.update(`${file}\0${readFileSync(join(here, file), "utf8").replaceAll("\r\n", "\n")}\0`);
  return hash.digest("hex");
}

function walk(folder) {
  return readdirSync(join(here, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|tsx|css|json)$/.test(entry.name))
    .map((entry) => join(relative(here, entry.parentPath), entry.name).replaceAll("\\", "/"));
}

function write(name, value) {
  writeFileSync(join(out, name), `${JSON.stringify(value, null, 2)}\n`);
}

const shared = { absWorkingDir: here, bundle: true, minify: true, legalComments: "none", logLevel: "warning", target: ["es2022"] };
rmSync(join(here, "lib"), { recursive: true, force: true });
await build({ ...shared, entryPoints: ["src/lab/index.ts"], outfile: "lib/index.js", format: "esm", external: ["@jupyterlab/*", "@lumino/*"] });
await build({ ...shared, entryPoints: ["src/lab/style/lab.css"], outfile: "lib/index.css" });

const builder = join(here, "node_modules", "@jupyter", "builder", "lib", "build-labextension.js");
const core = join(here, "node_modules", "@jupyterlab", "core-meta", "core.package.json");
const { status } = spawnSync(process.execPath, [builder, "--core-package-file", core, here], { cwd: here, stdio: ["ignore", "pipe", "inherit"] });
if (status !== 0) throw new Error("@jupyter/builder failed: what it said is above");

const made = JSON.parse(readFileSync(join(out, "package.json"), "utf8"));
write("package.json", Object.fromEntries(KEPT.map((name) => [name, made[name]])));
write("install.json", INSTALL);
write("schemas/ipy-orch/package.json.orig", { name: made.name, version: made.version }); // where JupyterLab looks for the version
rmSync(join(out, "static", "third-party-licenses.json"), { force: true }); // what is in the bundle is in ipy_orch/ui/static/LICENSES.txt
const size = readdirSync(join(out, "static")).reduce((sum, name) => sum + statSync(join(out, "static", name)).size, 0);
write("sources.json", { sha256: sourcesHash(), size });
console.log(relative(here, out), size);
if (size > MOST) throw new Error(`the extension has ${size} bytes, more than ${MOST}`);
