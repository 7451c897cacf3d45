// Pictures of the page for people to look at: `node test/shots.mjs [WORD]`, into test/out/.

import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { answered, browser, open, say } from "./browser/open.mjs";

const OUT = fileURLToPath(new URL("out/", import.meta.url));
const SIZES = [[360, 740], [768, 1024], [1440, 900], [1920, 1080]];

/** What is shown, and how one gets there. */
const VIEWS = {
  empty: async () => undefined,
  chat: async (page) => {
    await say(page, "How do I sort words by length in Rust? Show me a table, too.");
    await answered(page);
    await page.locator(".conversation").evaluate((box) => (box.scrollTop = 0));
  },
  models: async (page) => {
    await page.keyboard.press("Alt+l");
    await page.locator("dialog[open]").waitFor();
  },
  names: async (page) => {
    await page.keyboard.press("Alt+l");
    await page.getByText("Well-known models").click();
    await page.getByRole("button", { name: "Take starter out of memory" }).click();
    await page.getByLabel("Name of the model").fill("acme/missing");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").waitFor();
  },
  deleted: async (page) => {
    await say(page, "What is the capital of France?");
    await answered(page);
    await page.getByRole("button", { name: "More for this chat" }).click();
    await page.getByRole("menuitem", { name: "Delete this chat" }).click();
    await page.getByRole("button", { name: "Undo" }).waitFor();
  },
  settings: async (page) => {
    await page.keyboard.press("Alt+s");
  },
  prompt: async (page) => {
    await say(page, "What is the capital of France?");
    await answered(page);
    await page.keyboard.press("Alt+p");
    await page.locator("dialog[open]").getByRole("button", { name: "Tokens" }).click();
  },
  scores: async (page) => {
    await page.keyboard.press("Alt+s");
    await page.getByLabel("Ask how likely").check();
    if ((await page.locator("dialog[open]").count()) > 0) await page.keyboard.press("Escape");
    await say(page, "What is the capital of France?");
    const last = await answered(page);
    await last.getByRole("button", { name: "Show how likely" }).click();
    await page.locator(".scores-text").focus();
    for (let step = 0; step < 4; step += 1) await page.keyboard.press("ArrowRight");
  },
  menu: async (page) => {
    await say(page, "What is the capital of France?");
    await answered(page);
    await page.getByRole("button", { name: "More for this chat" }).click();
  },
  chats: async (page) => {
    for (const text of ["Plan a week in Lisbon", "Why is the sky blue?"]) {
      await say(page, text);
      await answered(page);
      await page.keyboard.press("Alt+n");
    }
    const menu = page.getByRole("button", { name: "Chats and more" });
    if (await menu.count()) await menu.click();
  },
  trouble: async (page) => {
    await say(page, "Say that you are busy");
    await page.locator(".trouble").waitFor();
  },
  help: async (page) => {
    await page.keyboard.press("Alt+h");
  },
  metrics: async (page) => {
    await page.keyboard.press("Alt+m");
    await page.waitForTimeout(12_000);
  },
};

await mkdir(OUT, { recursive: true });
const wanted = process.argv.slice(2);
const shared = await browser();
for (const [name, go] of Object.entries(VIEWS)) {
  if (wanted.length && !wanted.includes(name)) continue;
  for (const scheme of ["light", "dark"]) {
    const sizes = SIZES.filter(([width]) => process.env.WIDTHS === undefined || process.env.WIDTHS.split(",").includes(String(width)));
    await Promise.all(sizes.map(async ([width, height]) => {
      const { page, seen, close } = await open(shared, {}, { viewport: { width, height }, colorScheme: scheme });
      await go(page);
      await page.waitForTimeout(300);
      await page.screenshot({ path: `${OUT}${name}-${width}-${scheme}.png` });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (seen.errors.length || seen.strangers.length || wide > 0) console.log(name, width, scheme, seen, "too wide by", wide);
      await close();
    }));
  }
}
await shared.close();
