// A browser that shows the page, and a server for it.
//
// CHROMIUM names another browser than Debian's.

import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import { start } from "../mock/server.mjs";

const executablePath = process.env.CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);

export const hasBrowser = executablePath !== undefined;

export function browser() {
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
}

/** What has gone wrong in a page: errors of scripts and of the policy, and whatever was asked of another host. */
export function watched(page, url) {
  const seen = { errors: [], strangers: [], dialogs: 0 };
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("console", (message) => {
    // A refusal of the server, which a test may bring about, is told here, too.
    if (message.type() === "error" && !/Failed to load resource/.test(message.text())) seen.errors.push(message.text());
  });
  page.on("dialog", (dialog) => ((seen.dialogs += 1), dialog.dismiss()));
  page.on("request", (request) => {
    const address = request.url();
    if (!address.startsWith(url) && !address.startsWith("blob:") && !address.startsWith("data:")) seen.strangers.push(address);
  });
  return seen;
}

const opened = new Set();

/** Closes what a test that failed left open. */
export async function closeAll(shared) {
  await Promise.all([...opened].map((close) => close()));
  await shared?.close();
}

/** A page in a browser of its own, with a server of its own. */
export async function open(shared, options = {}, context = {}) {
  const server = options.url ? { url: options.url, close: () => undefined } : await start(options);
  const own = await shared.newContext({ viewport: { width: 1280, height: 800 }, ...context });
  const page = await own.newPage();
  const seen = watched(page, server.url);
  page.setDefaultTimeout(10_000);
  const close = async () => {
    opened.delete(close);
    await own.close();
    await server.close();
  };
  opened.add(close);
  await page.goto(`${server.url}/${context.hash ?? ""}`);
  return { page, seen, close, server, state: server.state, url: server.url };
}

/** Sends a message with the keyboard. */
export async function say(page, text) {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.keyboard.press("Enter");
}

/** The last answer, when it is complete. */
export async function answered(page, timeout = 15_000) {
  const last = page.locator("article.answered").last();
  await last.locator("footer.actions").waitFor({ timeout });
  return last;
}
