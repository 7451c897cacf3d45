// What a person does with chats, and what the server is then asked.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { answered, browser, closeAll, hasBrowser, open, say } from "./open.mjs";

const options = { skip: !hasBrowser && "no Chromium" };
let shared;
before(async () => (shared = hasBrowser ? await browser() : undefined));
after(() => closeAll(shared));

const asked = (state) => state.requests.filter(({ path }) => path === "/v1/chat/completions").map(({ body }) => body);
const message = (page) => page.getByLabel("Message", { exact: true });

/** Runs `body` with a page, which must have done nothing wrong at the end. */
function it(name, body, settings = {}) {
  test(name, options, async () => {
    const opened = await open(shared, settings.server, settings.context);
    await body(opened);
    assert.deepEqual(opened.seen.errors, []);
    assert.deepEqual(opened.seen.strangers, []);
    await opened.close();
  });
}

it("a question is answered while it comes, and counted", async ({ page, state }) => {
  state.pace = 15;
  await say(page, "What is the capital of France?");
  const last = page.locator("article.answered").last();
  await page.waitForFunction(() => /The capital/.test(document.querySelector("article.answered")?.textContent ?? ""));
  assert.equal(await last.getAttribute("aria-busy"), "true");
  await page.getByRole("button", { name: "Stop" }).waitFor();
  await answered(page);
  assert.match(await last.innerText(), /two million people live there\./);
  assert.match(await last.innerText(), /[\d.]+ tokens\/s · first after \d+ ms · 40 → 19 tokens/);
  assert.equal(await message(page).inputValue(), "");
  await page.getByText("The answer is complete: 19 words.").waitFor({ state: "attached" });
  const [body] = asked(state);
  assert.deepEqual(body, {
    model: "starter", messages: [{ role: "user", content: "What is the capital of France?" }],
    stream: true, stream_options: { include_usage: true },
  });
});

it("Markdown is drawn: code in colours, tables with their columns", async ({ page }) => {
  await say(page, "Show a table with code");
  const last = await answered(page);
  assert.equal(await last.locator("pre .hljs-keyword").first().innerText(), "fn");
  assert.equal(await last.locator("th").nth(2).evaluate((cell) => getComputedStyle(cell).textAlign), "end");
  assert.equal(await last.locator("ol > li > ul > li").count(), 2);
  assert.equal(await last.locator("a").getAttribute("href"), "https://doc.example/sort");
  await last.getByRole("button", { name: "Copy", exact: true }).click();
});

it("an answer is stopped: what came stays, and the server hears it", async ({ page, state }) => {
  await say(page, "Write something long and slow");
  await page.waitForFunction(() => /Line 2/.test(document.querySelector("article.answered")?.textContent ?? ""));
  await page.keyboard.press("Escape");
  const last = await answered(page);
  assert.match(await last.innerText(), /Line 2/);
  assert.match(await last.innerText(), /stopped/);
  await page.waitForTimeout(200);
  assert.equal(state.hungUp, 1);
  assert.ok(state.tokens < 200);
  // And it goes on from there.
  await say(page, "Go on");
  await answered(page);
  await page.waitForFunction(() => document.querySelectorAll("article.answered footer.actions").length === 2);
  const [, second] = asked(state);
  assert.deepEqual(second.messages.map(({ role }) => role), ["user", "assistant", "user"]);
});

it("a message is edited and sent again; the one before stays beside it", async ({ page, state }) => {
  await say(page, "First question");
  await answered(page);
  await say(page, "Second question");
  await page.waitForFunction(() => document.querySelectorAll("article.answered footer.actions").length === 2);
  await page.locator("article.asked").first().hover();
  await page.getByRole("button", { name: "Edit message" }).first().click();
  const field = page.getByLabel("Your message", { exact: true });
  assert.equal(await field.inputValue(), "First question");
  await field.fill("Another question");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelectorAll("article.answered footer.actions").length === 1);
  assert.deepEqual(asked(state).at(-1).messages, [{ role: "user", content: "Another question" }]);
  assert.equal(await page.locator("article.asked").innerText().then((text) => text.split("\n")[0]), "Another question");
  await page.getByRole("button", { name: "Earlier version of this message" }).click();
  assert.equal(await page.locator("article.asked").count(), 2);
  assert.match(await page.locator("article.asked").first().innerText(), /First question/);
});

it("an answer is made again; both can be looked at", async ({ page, state }) => {
  await say(page, "What is the capital of France?");
  await answered(page);
  await page.getByRole("button", { name: "Answer again" }).click();
  await page.getByText("2 of 2").waitFor();
  assert.equal(asked(state).length, 2);
  assert.deepEqual(asked(state)[0], asked(state)[1]);
  await page.getByRole("button", { name: "Earlier version of this answer" }).click();
  await page.getByText("1 of 2").waitFor();
});

it("settings reach the server, and what is wrong does not", async ({ page, state }) => {
  await page.keyboard.press("Alt+s");
  const panel = page.getByRole("complementary", { name: "Settings of this chat" });
  await panel.getByLabel("System prompt").fill("Be brief.");
  for (const [label, value] of [["Temperature", "0,5"], ["Top p", "0.9"], ["Top k", "40"], ["Tokens at most", "7"], ["Seed", "42"]]) {
    await panel.getByLabel(label).fill(value);
  }
  await panel.getByLabel("Stop at").fill("\\n\\n\nEnd");
  await panel.getByLabel("Ask how likely").check();
  await panel.getByLabel("Seed").fill("4.5");
  assert.equal(await panel.getByLabel("Seed").getAttribute("aria-invalid"), "true");
  await say(page, "What is the capital of France?");
  const last = await answered(page);
  const [{ messages, temperature, top_p, top_k, max_tokens, seed, stop, logprobs, top_logprobs }] = asked(state);
  assert.deepEqual(messages[0], { role: "system", content: "Be brief." });
  assert.deepEqual([temperature, top_p, top_k, max_tokens, seed, stop], [0.5, 0.9, 40, 7, 42, ["\n\n", "End"]]);
  assert.deepEqual([logprobs, top_logprobs], [true, 5]);
  assert.match(await last.innerText(), /cut at the limit of tokens/);
  await last.getByRole("button", { name: "Show how likely" }).click();
  assert.equal(await last.getByRole("option").count(), 7);
  await last.getByRole("listbox").focus();
  await page.keyboard.press("ArrowRight");
  assert.match(await last.locator(".scores-detail").innerText(), /The\s*98 %/);
  await panel.getByRole("button", { name: "Reset" }).click();
  await page.waitForFunction(() => [...document.querySelectorAll(".settings input.field, .settings textarea")].every(({ value }) => value === ""));
  assert.equal(await panel.getByLabel("Ask how likely").isChecked(), false);
});

it("errors are told in the server's words", async ({ page, state }) => {
  await say(page, "Say that you are busy");
  await page.getByRole("alert").filter({ hasText: "too many requests wait: 64 of 64" }).waitFor();
  await page.getByText("to wait for 3 seconds").first().waitFor();
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByText("2 of 2").waitFor();
  assert.equal(asked(state).length, 2);
  await page.keyboard.press("Alt+n");
  await say(page, "Be broken in the middle");
  await page.getByRole("alert").filter({ hasText: "became shorter while it was in use" }).waitFor();
  assert.match(await page.locator("article.answered").innerText(), /The capital of France is/);
});

it("chats are kept, renamed, exported, imported and deleted", async ({ page }) => {
  await say(page, "A question about Lisbon");
  await answered(page);
  await page.waitForFunction(() => document.querySelectorAll(".chats a").length === 1);
  await page.reload();
  await page.getByText("two million people").waitFor();
  const menu = page.getByRole("button", { name: "More for this chat" });
  await menu.click();
  await page.getByRole("menuitem", { name: "Rename…" }).click();
  await page.getByLabel("Title").fill("Lisbon");
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "Lisbon" }).waitFor();
  await menu.click();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: "Export this chat" }).click()]);
  assert.equal(download.suggestedFilename(), "Lisbon.json");
  const path = await download.path();
  const file = JSON.parse(await readFile(path, "utf8"));
  assert.deepEqual([file.format, file.chats.length, file.chats[0].nodes.length], ["scaffold-chats-1", 1, 2]);
  await page.locator("input[type=file]").setInputFiles({ name: "chats.json", mimeType: "application/json", buffer: await readFile(path) });
  await page.locator(".notice").getByText("One chat was imported.").waitFor();
  assert.equal(await page.getByRole("link", { name: "Lisbon" }).count(), 2);
  await menu.click();
  await page.getByRole("menuitem", { name: "Delete this chat" }).click();
  await page.waitForFunction(() => document.querySelectorAll(".chats a").length === 1);
  await page.getByRole("button", { name: "Undo" }).click();
  await page.waitForFunction(() => document.querySelectorAll(".chats a").length === 2);
  await page.reload();
  await page.waitForFunction(() => document.querySelectorAll(".chats a").length === 2);
});

it("answers of two chats come at once", async ({ page }) => {
  await say(page, "Write something long and slow");
  await page.waitForFunction(() => /Line 1/.test(document.querySelector("article.answered")?.textContent ?? ""));
  await page.keyboard.press("Alt+n");
  await say(page, "What is the capital of France?");
  const last = await answered(page);
  assert.match(await last.innerText(), /Paris/);
  assert.equal(await page.getByRole("img", { name: "answering" }).count(), 1);
  await page.getByRole("link", { name: /long and slow/ }).click();
  await page.waitForFunction(() => /Line 20/.test(document.querySelector("article.answered")?.textContent ?? ""));
  await page.keyboard.press("Escape");
  await answered(page);
});

it("the prompt is shown as the model sees it", async ({ page, state }) => {
  await page.keyboard.press("Alt+p");
  await page.getByText("There is no prompt yet").waitFor();
  await page.keyboard.press("Escape");
  await message(page).fill("What is that?");
  await page.keyboard.press("Alt+p");
  const dialog = page.getByRole("dialog", { name: "The prompt as the model sees it" });
  await dialog.getByText("<|im_start|>user").waitFor();
  await dialog.getByRole("button", { name: "Tokens" }).click();
  await dialog.getByText("100").waitFor();
  const { body } = state.requests.find(({ path }) => path === "/render");
  assert.deepEqual(body, { model: "starter", messages: [{ role: "user", content: "What is that?" }] });
});

it("a thought that the server tells apart stands apart", async ({ page, state }) => {
  await say(page, "Ponder this");
  const last = await answered(page);
  await last.getByText("What it thought").click();
  await last.getByText("Rivers first, then seas.").waitFor();
  assert.match(await last.locator("> .markdown").innerText(), /^The capital/);
  await say(page, "And again");
  await page.waitForFunction(() => document.querySelectorAll("article.answered footer.actions").length === 2);
  assert.ok(!JSON.stringify(asked(state)[1].messages).includes("Rivers"));
});

it("a thought stands apart", async ({ page, state }) => {
  await say(page, "Think before you answer");
  const last = await answered(page);
  assert.equal(await last.locator("> .markdown").innerText(), "Hello there.");
  await last.getByText("What it thought").click();
  await last.getByText("The person greets me.").waitFor();
  await say(page, "And again");
  await page.waitForFunction(() => document.querySelectorAll("article.answered footer.actions").length === 2);
  assert.equal(asked(state)[1].messages[1].content, "Hello there.");
});
