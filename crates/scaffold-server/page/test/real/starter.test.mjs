// The page with the real server and a small model: `SCAFFOLD=target/debug/scaffold npm run test:real`. The program finds its
// models as it always does; `scaffold pull starter` gets the one that is asked here.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, before, test } from "node:test";
import { answered, browser, closeAll, hasBrowser, open, say } from "../browser/open.mjs";

const program = process.env.SCAFFOLD;
const options = { skip: !program ? "SCAFFOLD names no program" : !hasBrowser && "no Chromium" };
const NAME = process.env.SCAFFOLD_MODEL ?? "SmolLM2-135M-Instruct";
let shared, server, url;

before(async () => {
  if (options.skip) return;
  server = spawn(program, ["serve", "--port", "0", "--log", "warn"], { stdio: ["ignore", "inherit", "pipe"] });
  url = await new Promise((resolve, reject) => {
    let told = "";
    server.stderr.on("data", (data) => {
      told += data;
      const found = /listening on (http:\/\/[\d.]+:\d+)/.exec(told);
      if (found) resolve(found[1]);
    });
    server.on("exit", () => reject(new Error(`the server ended: ${told}`)));
  });
  shared = await browser();
});
after(async () => {
  await closeAll(shared);
  server?.kill();
});

async function metric(page, name) {
  const text = await (await page.request.get(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name}\\{[^}]*\\} (\\S+)$`, "m").exec(text)?.[1] ?? 0);
}

function it(name, body) {
  test(name, options, async () => {
    const opened = await open(shared, { url });
    await opened.page.getByRole("button", { name: `Model: ${NAME}` }).waitFor();
    await body(opened);
    assert.deepEqual([opened.seen.errors, opened.seen.strangers], [[], []]);
    await opened.close();
  });
}

/** Settings with which the same question has the same answer. */
async function settle(page, { most = "24" } = {}) {
  await page.keyboard.press("Alt+s");
  const panel = page.getByRole("complementary", { name: "Settings of this chat" });
  await panel.getByLabel("Temperature").fill("0.8");
  await panel.getByLabel("Top k").fill("40");
  await panel.getByLabel("Top p").fill("0.95");
  await panel.getByLabel("Seed").fill("7");
  await panel.getByLabel("Tokens at most").fill(most);
  return panel;
}

const textOf = (article) => article.locator("> .markdown").innerText();

it("a model is listed, loaded by the first question, and answers", async ({ page }) => {
  await settle(page);
  await say(page, "What is the capital of France?");
  const last = await answered(page, 120_000);
  assert.match(await last.innerText(), /[\d.]+ tokens\/s · first after [\d.]+ m?s · \d+ → \d+ tokens/);
  await page.keyboard.press("Alt+l");
  await page.getByText(/in memory, \d min more if unused/).waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
  // The same seed, the same answer, beside the first one.
  const first = await textOf(last);
  await page.getByRole("button", { name: "Answer again" }).click();
  await page.getByText("2 of 2").waitFor({ timeout: 60_000 });
  assert.equal(await textOf(page.locator("article.answered").last()), first);
});

it("an answer is stopped, and the server computes no more of it", async ({ page }) => {
  const before = await metric(page, "scaffold_requests_cancelled_total");
  await say(page, "Write a very long story about the sea, with many chapters.");
  await page.waitForFunction(() => (document.querySelector("article.answered > .markdown")?.textContent ?? "").length > 20, null, { timeout: 120_000 });
  await page.keyboard.press("Escape");
  const last = await answered(page);
  assert.match(await last.innerText(), /stopped/);
  for (let tries = 0; (await metric(page, "scaffold_requests_cancelled_total")) === before; tries += 1) {
    assert.ok(tries < 50, "the server did not notice");
    await page.waitForTimeout(100);
  }
  assert.equal(await metric(page, "scaffold_requests_running"), 0);
});

it("a message is edited and sent again", async ({ page }) => {
  await settle(page, { most: "12" });
  await say(page, "Name a colour.");
  await answered(page, 120_000);
  await page.locator("article.asked").hover();
  await page.getByRole("button", { name: "Edit message" }).click();
  await page.getByLabel("Your message", { exact: true }).fill("Name a river.");
  await page.keyboard.press("Enter");
  await answered(page, 60_000);
  await page.getByRole("group", { name: "Versions of this message" }).getByText("2 of 2").waitFor();
});

it("the prompt, its tokens, and how likely those of the answer were", async ({ page }) => {
  const panel = await settle(page, { most: "8" });
  await panel.getByLabel("System prompt").fill("You know birds.");
  await panel.getByLabel("Ask how likely").check();
  await say(page, "Name a bird.");
  const last = await answered(page, 120_000);
  await last.getByRole("button", { name: "Show how likely" }).click();
  const tokens = await last.getByRole("option").allTextContents();
  assert.ok(tokens.length > 1 && tokens.length <= 8, String(tokens));
  await last.getByRole("listbox").focus();
  await page.keyboard.press("ArrowRight");
  assert.ok((await last.locator(".scores-detail li").count()) >= 5);
  await page.keyboard.press("Alt+p");
  const dialog = page.getByRole("dialog");
  await dialog.getByText("You know birds.").waitFor();
  await dialog.getByRole("button", { name: "Tokens" }).click();
  await dialog.getByText(" birds").waitFor();
});

it("metrics are those of the server", async ({ page }) => {
  await settle(page, { most: "40" });
  await say(page, "Count to twenty.");
  await answered(page, 120_000);
  await page.keyboard.press("Alt+m");
  await page.getByRole("region", { name: "Memory" }).getByText(NAME).waitFor();
  await page.getByRole("img", { name: /Keys and values in use, .* blocks \d/ }).waitFor();
  await page.getByRole("img", { name: /Requests, .* running \d+, waiting \d+/ }).waitFor();
  await page.getByRole("img", { name: /Tokens a second, .* answers [\d.]+/ }).waitFor();
});

it("what the server refuses is told in its words", async ({ page }) => {
  await page.keyboard.press("Alt+s");
  await page.getByLabel("System prompt").fill("word ".repeat(12_000));
  await say(page, "Hello");
  await page.getByRole("alert").filter({ hasText: /token|context/i }).waitFor({ timeout: 60_000 });
});

test("a frame of another page, another host's name, a program: none gets the page's rights", options, async () => {
  const opened = await open(shared, { url });
  const { request } = opened.page;
  assert.equal((await request.get(`${url}/`, { headers: { accept: "text/html", host: "evil.example" } })).status(), 403);
  assert.equal(await (await request.get(`${url}/`, { headers: { accept: "*/*" } })).text(), "Ollama is running");
  const page = await request.get(`${url}/`, { headers: { accept: "text/html" } });
  assert.match(page.headers()["content-security-policy"], /frame-ancestors 'none'/);
  const [, script] = /src="([^"]+)"/.exec(await page.text());
  const file = await request.get(url + script);
  assert.equal(file.headers()["cache-control"], "public, max-age=31536000, immutable");
  assert.equal((await request.get(url + script, { headers: { "if-none-match": file.headers().etag } })).status(), 304);
  await opened.close();
});
