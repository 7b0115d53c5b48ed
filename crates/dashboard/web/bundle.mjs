// Packs the page: index.html, one script, one style sheet, one icon, the licences of what is inside.
// Usage: node bundle.mjs OUT_DIR. File names carry a hash of their content, so a browser may keep them
// for ever; index.html names them and is asked for anew each time.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

const out = process.argv[2];
if (!out) {
  console.error("usage: node bundle.mjs OUT_DIR");
  process.exit(2);
}
const assets = join(out, "assets");
rmSync(out, { recursive: true, force: true });
mkdirSync(assets, { recursive: true });

const result = await build({
  entryPoints: { page: "src/main.ts", style: "src/style/main.css" },
  entryNames: "[name]-[hash]",
  outdir: assets,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022", "chrome120", "firefox120", "safari17"],
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
});

function write(name, extension, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 8).toUpperCase();
  const file = `${name}-${hash}.${extension}`;
  writeFileSync(join(assets, file), content);
  return `/assets/${file}`;
}

const places = { icon: write("icon", "svg", readFileSync("src/icon.svg")) };
for (const [file, info] of Object.entries(result.metafile.outputs)) {
  if (info.entryPoint) places[info.entryPoint.endsWith(".css") ? "style" : "script"] = `/assets/${basename(file)}`;
}
const { version } = JSON.parse(readFileSync("node_modules/uplot/package.json", "utf8"));
const licence = readFileSync("node_modules/uplot/LICENSE", "utf8");
places.licences = write("licences", "txt", `This page contains uPlot ${version}, under this licence:\n\n${licence}`);

const html = readFileSync("src/index.html", "utf8").replace(/\{\{(\w+)\}\}/g, (whole, name) => {
  if (!places[name]) throw new Error(`index.html names ${whole}, which nothing provides`);
  return places[name];
});
writeFileSync(join(out, "index.html"), html);
