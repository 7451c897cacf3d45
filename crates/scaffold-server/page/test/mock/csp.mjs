// The headers that the server sends with the page: read from its source, so that tests meet the same.

import { readFile } from "node:fs/promises";

export async function policy() {
  const source = await readFile(new URL("../../../src/page.rs", import.meta.url), "utf8");
  const found = /const POLICY: &str = "([^"]*)"/.exec(source);
  if (!found) throw new Error("page.rs has no POLICY");
  return found[1].replace(/\\\s*\n\s*/g, "");
}
