// For everybody: keyboard, screen readers, small and large windows, light and dark.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { answered, browser, closeAll, hasBrowser, open, say } from "./open.mjs";

const options = { skip: !hasBrowser && "no Chromium" };
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let shared;
before(async () => (shared = hasBrowser ? await browser() : undefined));
after(() => closeAll(shared));

/** What axe finds that matters. The tool comes in beside the policy, which allows nothing from outside. */
async function findings(page) {
  await page.waitForTimeout(250);
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { violations } = await window.axe.run(document, { resultTypes: ["violations"] });
    return violations.flatMap(({ id, impact, nodes }) => nodes.map(({ html, failureSummary }) => `${impact} ${id}: ${html.slice(0, 160)} ${failureSummary}`));
  });
}

const VIEWS = {
  "an empty chat": async () => undefined,
  "a chat": async (page) => {
    await say(page, "Show a table with code");
    await answered(page);
  },
  "an error": async (page) => {
    await say(page, "busy");
    await page.getByRole("alert").waitFor();
  },
  "tokens in colours": async (page) => {
    await page.keyboard.press("Alt+s");
    await page.getByLabel("Ask how likely").check();
    if (await page.locator("dialog[open]").count()) await page.keyboard.press("Escape");
    await say(page, "What is the capital of France?");
    await (await answered(page)).getByRole("button", { name: "Show how likely" }).click();
  },
  "a menu": (page) => page.getByRole("button", { name: "More for this chat" }).click(),
  models: (page) => page.keyboard.press("Alt+l"),
  settings: (page) => page.keyboard.press("Alt+s"),
  prompt: async (page) => {
    await page.getByLabel("Message", { exact: true }).fill("Hello");
    await page.keyboard.press("Alt+p");
    await page.getByRole("button", { name: "Tokens" }).click();
  },
  help: (page) => page.keyboard.press("Alt+h"),
  metrics: async (page) => {
    await page.keyboard.press("Alt+m");
    await page.getByText("5.4 GB").waitFor();
  },
};

for (const [name, go] of Object.entries(VIEWS)) {
  test(`axe finds nothing in ${name}`, options, async () => {
    for (const [width, colorScheme] of [[1440, "light"], [360, "dark"]]) {
      // `evaluate` needs no leave of the policy, but eval in the page would.
      const { page, close } = await open(shared, {}, { viewport: { width, height: 760 }, colorScheme, reducedMotion: "reduce" });
      await page.getByRole("button", { name: "Model: starter" }).waitFor();
      await go(page);
      assert.deepEqual(await findings(page), [], `${width} ${colorScheme}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${name} is ${wide} pixels too wide at ${width}`);
      await close();
    }
  });
}

test("everything is done with the keyboard alone", options, async () => {
  const { page, close, state } = await open(shared);
  await page.getByRole("button", { name: "Model: starter" }).waitFor();
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.id ?? "");
  // The message has the focus from the start; Shift+Enter begins a line.
  assert.equal(await focused(), "message");
  await page.keyboard.type("One");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("Two");
  await page.keyboard.press("Enter");
  await answered(page);
  assert.equal(state.requests[0].body.messages[0].content, "One\nTwo");
  assert.equal(await focused(), "message");
  // Back to the answer's buttons, and what is reached can be seen.
  await page.keyboard.press("Shift+Tab");
  const seen = new Set();
  for (let step = 0; step < 40; step += 1) {
    seen.add(await focused());
    const visible = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return true;
      const { outlineStyle } = getComputedStyle(element.closest("label") ?? element);
      return outlineStyle !== "none" || element.id === "message";
    });
    assert.ok(visible, `the focus cannot be seen on ${await focused()}`);
    await page.keyboard.press("Shift+Tab");
  }
  for (const label of ["Answer again", "Copy answer", "Edit message", "Settings of this chat", "More for this chat"]) assert.ok(seen.has(label), label);
  // Dialogs give the focus back.
  await page.keyboard.press("Alt+c");
  await page.keyboard.press("Alt+h");
  await page.getByRole("dialog", { name: "Help" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.equal(await focused(), "message");
  // A menu goes round with the arrows.
  await page.getByRole("button", { name: "More for this chat" }).focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("ArrowUp");
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Delete this chat");
  await page.keyboard.press("Escape");
  assert.equal(await focused(), "More for this chat");
  // Another chat, and back.
  await page.keyboard.press("Alt+n");
  await page.keyboard.type("Another");
  await page.keyboard.press("Enter");
  await answered(page);
  await page.keyboard.press("Alt+ArrowDown");
  await page.getByRole("heading", { name: "One Two" }).waitFor();
  await close();
});

test("a screen reader hears the end of an answer, not each token", options, async () => {
  const { page, close } = await open(shared);
  await page.evaluate(() => {
    window.heard = [];
    for (const region of document.querySelectorAll("[aria-live], [role=status]")) {
      new MutationObserver(() => region.textContent && window.heard.push(region.textContent)).observe(region, { childList: true, subtree: true, characterData: true });
    }
  });
  await say(page, "What is the capital of France?");
  await answered(page);
  await page.waitForTimeout(300);
  assert.deepEqual(await page.evaluate(() => window.heard), ["The answer is complete: 19 words."]);
  assert.equal(await page.getByRole("main").count(), 1);
  assert.equal(await page.getByRole("banner").count(), 1);
  assert.equal(await page.getByRole("heading", { level: 1 }).count(), 1);
  await close();
});

test("colours follow the system, and the choice of a person", options, async () => {
  const { page, close } = await open(shared, {}, { colorScheme: "dark" });
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const dark = await ground();
  await page.getByLabel("Light").check();
  const light = await ground();
  assert.notEqual(light, dark);
  await page.reload();
  assert.equal(await ground(), light);
  await page.emulateMedia({ colorScheme: "light" });
  await page.getByLabel("Dark").check();
  assert.equal(await ground(), dark);
  await page.getByLabel("As the system").check();
  assert.equal(await ground(), light);
  await close();
});
