// Builds dist/, which the server carries, from src/.
//
//   node build.mjs           writes dist/
//   node build.mjs --check   builds elsewhere and says whether dist/ is the same
//
// The same sources and lock file give the same bytes. dist/SOURCE holds a hash of both, so that a test without Node.js notices
// sources that were changed and not built.

import { createHash } from "node:crypto";
import { mkdtemp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = dirname(fileURLToPath(import.meta.url));
/** What else than src/ decides about the result. */
const ALSO = ["build.mjs", "package-lock.json", "package.json"];
/** What the result holds of other people's work, with the file of each that says how it may be used. */
const OTHERS = { preact: "LICENSE", marked: "LICENSE", dompurify: "LICENSE", "highlight.js": "LICENSE" };

async function files(folder) {
  const entries = await readdir(join(ROOT, folder), { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join("/"));
}

/** A hash of all sources: of each path, its length and its bytes. */
async function source() {
  const hash = createHash("sha256");
  for (const path of [...ALSO, ...(await files("src"))].sort()) {
    const bytes = await readFile(join(ROOT, path));
    hash.update(`${path}\0${bytes.length}\0`).update(bytes);
  }
  return `${hash.digest("hex")}\n`;
}

async function notice() {
  const parts = ["The chat page is Scaffold's own, under its licence. It holds these works of others:\n"];
  for (const [name, file] of Object.entries(OTHERS)) {
    const folder = join(ROOT, "node_modules", name);
    const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const used = license === "(MPL-2.0 OR Apache-2.0)" ? "Apache-2.0, of the two that it offers" : license;
    const text = (await readFile(join(folder, file), "utf8")).replace(/\r\n/g, "\n").trim();
    parts.push(`${"=".repeat(72)}\n${name} ${version}\nUsed under ${used}.\n${"=".repeat(72)}\n\n${text}\n`);
  }
  return parts.join("\n");
}

async function write(to) {
  await mkdir(to, { recursive: true });
  const common = { bundle: true, minify: true, legalComments: "none", charset: "utf8", target: ["es2022"], logLevel: "warning", absWorkingDir: ROOT };
  await build({ ...common, entryPoints: ["src/main.tsx"], outfile: join(to, "app.js"), format: "esm", jsx: "automatic", jsxImportSource: "preact" });
  await build({ ...common, entryPoints: ["src/style/index.css"], outfile: join(to, "app.css") });
  const icon = await readFile(join(ROOT, "src/icon.svg"));
  await writeFile(join(to, "icon.svg"), icon);
  let html = await readFile(join(ROOT, "src/index.html"), "utf8");
  // A name changes with what it names, so that browsers may keep it for ever.
  for (const name of ["app.js", "app.css", "icon.svg"]) html = html.replace(`/page/${name}`, `/page/${hashed(name, await readFile(join(to, name)))}`);
  await writeFile(join(to, "index.html"), html);
  await writeFile(join(to, "NOTICE.txt"), await notice());
  await writeFile(join(to, "SOURCE"), await source());
}

/** `app.js` with the first 16 digits of the hash of its bytes before its ending. */
function hashed(name, bytes) {
  const digits = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  return name.replace(/(\.\w+)$/, `.${digits}$1`);
}

async function check() {
  const other = await mkdtemp(join(tmpdir(), "scaffold-page-"));
  try {
    await write(other);
    const names = new Set([...(await readdir(other)), ...(await readdir(join(ROOT, "dist")))]);
    const differs = [];
    for (const name of [...names].sort()) {
      const [built, kept] = await Promise.all([other, join(ROOT, "dist")].map((folder) => readFile(join(folder, name)).catch(() => null)));
      if (!built || !kept || !built.equals(kept)) differs.push(name);
    }
    if (differs.length) {
      console.error(`dist/ is not what the sources make: ${differs.join(", ")}. Run \`npm run build\` and commit what it writes.`);
      process.exitCode = 1;
    }
  } finally {
    await rm(other, { recursive: true });
  }
}

if (process.argv.includes("--check")) await check();
else {
  await rm(join(ROOT, "dist"), { recursive: true, force: true });
  await write(join(ROOT, "dist"));
}
