// Build what the wheel holds: the widget's bundle (ipy_orch/ui/static/), then the JupyterLab extension (share/jupyter/,
// see build-lab.mjs). `--dev` builds the pages of the dev harness instead.

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "ipy_orch", "ui", "static");
const MOST = 600 * 1024;

/** Return the hash of everything the bundle is made from; tests/ui compares it with the sources. */
function sourcesHash() {
  const files = ["package-lock.json", "build.mjs", ...walk("src").filter((file) => !file.startsWith("src/lab/"))].sort();
  const hash = createHash("sha256");
  for (const file of files) {
    hash.update(file + "\0");
    hash.update(readFileSync(join(here, file), "utf8").replaceAll("\r\n", "\n"));
    hash.update("\0");
  }
  return hash.digest("hex");
}

function walk(folder) {
  return readdirSync(join(here, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? walk(path) : /\.(ts|tsx|css)$/.test(entry.name) ? [path] : [];
  });
}

/** Return the licenses of the packages that are in the bundle. */
function licenses(metafile) {
  const names = Object.keys(metafile.inputs).flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []);
  const texts = [...new Set(names)].sort().map((name) => {
    const folder = join(here, "node_modules", name);
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find((one) => /^licen[sc]e/i.test(one));
    return `${name} ${version} (${license})\n\n${file ? readFileSync(join(folder, file), "utf8").trim() : ""}\n`;
  });
  return `lineage.js holds code of these packages.\n\n${texts.join(`\n${"-".repeat(80)}\n\n`)}`;
}

const shared = {
  absWorkingDir: here,
  bundle: true,
  format: "esm",
  target: ["es2022"],
  legalComments: "none",
  logLevel: "warning",
  loader: { ".css": "css" },
};

const dev = process.argv.includes("--dev");
if (dev) {
  mkdirSync(join(here, "dev", "out"), { recursive: true });
  await build({ ...shared, entryPoints: ["dev/page.ts"], outfile: "dev/out/page.js", sourcemap: "inline" });
  await build({ ...shared, entryPoints: ["src/view/style/lineage.css"], outfile: "dev/out/page.css" });
} else {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const { metafile } = await build({ ...shared, entryPoints: ["src/widget.ts"], outfile: join(out, "lineage.js"), minify: true, metafile: true });
  writeFileSync(join(out, "LICENSES.txt"), licenses(metafile));
  await build({ ...shared, entryPoints: ["src/view/style/lineage.css"], outfile: join(out, "lineage.css"), minify: true });
  const sizes = Object.fromEntries(["lineage.js", "lineage.css"].map((name) => [name, statSync(join(out, name)).size]));
  writeFileSync(join(out, "sources.json"), JSON.stringify({ sha256: sourcesHash(), sizes }, null, 2) + "\n");
  console.log(relative(here, out), sizes);
  if (sizes["lineage.js"] > MOST) throw new Error(`lineage.js has ${sizes["lineage.js"]} bytes, more than ${MOST}`);
}
