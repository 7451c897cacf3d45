// `npm run watch`: builds the page whenever its sources change, and serves it with a server that has no model.

import { spawn } from "node:child_process";
import { watch } from "node:fs";
import { fileURLToPath } from "node:url";
import { start } from "./server.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const build = () => new Promise((done) => spawn("node", ["build.mjs"], { cwd: ROOT, stdio: "inherit" }).on("exit", done));

await build();
const { url } = await start({ port: Number(process.env.PORT ?? 8600), pace: 30 });
console.log(`The page is at ${url}/`);
let timer;
watch(`${ROOT}src`, { recursive: true }, () => {
  clearTimeout(timer);
  timer = setTimeout(build, 200);
});
