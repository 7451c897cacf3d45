// Modules of the page for tests that need no browser.

import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export async function load(path) {
  const folder = await mkdtemp(join(ROOT, "node_modules", ".page-"));
  const outfile = join(folder, "module.mjs");
  await build({ entryPoints: [join(ROOT, "src", path)], outfile, bundle: true, format: "esm", platform: "node", jsx: "automatic", jsxImportSource: "preact", logLevel: "error" });
  try {
    return await import(outfile);
  } finally {
    await rm(folder, { recursive: true });
  }
}
