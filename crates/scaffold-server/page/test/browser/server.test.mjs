// Models, keys and metrics.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { answered, browser, closeAll, hasBrowser, open, say } from "./open.mjs";

const options = { skip: !hasBrowser && "no Chromium" };
let shared;
before(async () => (shared = hasBrowser ? await browser() : undefined));
after(() => closeAll(shared));

test("models are listed with how far they are, chosen, freed and fetched", options, async () => {
  const { page, seen, close, state } = await open(shared);
  await page.getByRole("button", { name: "Model: starter" }).click();
  const dialog = page.getByRole("dialog", { name: "Choose a model" });
  await dialog.getByText("134.52M · Q4_1 · 98 MB · in memory, 5 min more if unused").waitFor();
  await dialog.getByText("loading, 43 %").waitFor();
  await dialog.getByText("7.24B · Q4_K · 4.7 GB · on the disk").waitFor();
  state.models.get("acme/Quiet-1B").progress = 0.8;
  await dialog.getByText("loading, 80 %").waitFor();
  await dialog.getByRole("button", { name: /Take starter out of memory/ }).click();
  await dialog.getByText("98 MB · on the disk").waitFor();
  await dialog.getByRole("button", { name: /Loud-7B/ }).click();
  await page.getByRole("button", { name: "Model: Loud-7B-Instruct" }).waitFor();
  await say(page, "Who are you?");
  await answered(page);
  assert.equal(state.requests.at(-1).body.model, "acme/Loud-7B-Instruct");

  await page.keyboard.press("Alt+l");
  await dialog.getByLabel("Name of the model").fill("acme/New-1B");
  await page.keyboard.press("Enter");
  await dialog.getByText(/pulling model\.gguf · .* of 1\.0 GB/).waitFor();
  await page.locator(".notice").getByText("acme/New-1B is here.").waitFor();
  await dialog.getByLabel("Name of the model").fill("acme/missing");
  await page.keyboard.press("Enter");
  await dialog.getByText("there is no model acme/missing on the Hub").waitFor();
  await dialog.getByText("Well-known models").click();
  await dialog.getByText("1.2B · llama3.2 · needs an account that accepted its terms").waitFor();
  await dialog.getByRole("button", { name: "Get tinyllama" }).click();
  await page.locator(".notice").getByText("TinyLlama/TinyLlama-1.1B-Chat-v1.0 is here.").waitFor();
  assert.equal(await dialog.getByRole("button", { name: "Get tinyllama" }).count(), 0);
  await dialog.getByRole("button", { name: "Close" }).click();
  await page.getByRole("button", { name: "Model: TinyLlama-1.1B-Chat-v1.0" }).waitFor();
  assert.deepEqual(seen.errors, []);
  await close();
});

test("a server that wants a key gets it, until the tab is closed", options, async () => {
  const { page, close, url } = await open(shared, { key: "sesame" });
  const dialog = page.getByRole("dialog", { name: "API key" });
  await dialog.getByText("an API key is needed").waitFor();
  // Whoever closes it is not asked every few seconds.
  await page.keyboard.press("Escape");
  await page.waitForTimeout(6_000);
  assert.equal(await page.getByRole("dialog").count(), 0);
  await page.getByRole("button", { name: "API key" }).click();
  await dialog.getByLabel("Key").fill("wrong");
  await page.keyboard.press("Enter");
  await dialog.getByText("an API key is needed").waitFor();
  await dialog.getByLabel("Key").fill("sesame");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Model: starter" }).waitFor();
  await say(page, "Hello");
  await answered(page);
  await page.reload();
  await page.getByRole("button", { name: "Model: starter" }).waitFor();
  assert.equal(await page.evaluate(() => JSON.stringify(localStorage).includes("sesame")), false);
  // Another tab has to be told it anew.
  const other = await page.context().newPage();
  await other.goto(`${url}/`);
  await other.getByRole("dialog", { name: "API key" }).getByText("an API key is needed").waitFor();
  await close();
});

test("an answer of before is seen in the metrics, and Escape there stops nothing", options, async () => {
  const { page, close, state } = await open(shared);
  await say(page, "Write something long and slow");
  await page.waitForTimeout(2_500);
  await page.keyboard.press("Alt+m");
  await page.getByRole("img", { name: /Time to the first token, .* median \d+ ms/ }).waitFor();
  await page.keyboard.press("Escape");
  await page.waitForTimeout(300);
  assert.equal(state.hungUp, 0);
  await page.keyboard.press("Alt+m");
  await page.getByRole("button", { name: "Stop" }).waitFor();
  await close();
});

test("a model that is gone is not asked", options, async () => {
  const { page, close, state } = await open(shared);
  await page.evaluate(() => localStorage.setItem("scaffold.defaults", JSON.stringify({ model: "gone/model" })));
  await page.reload();
  await page.getByRole("button", { name: "Model: starter" }).waitFor();
  await say(page, "Hello");
  await answered(page);
  assert.equal(state.requests.at(-1).body.model, "starter");
  await close();
});

test("metrics are plotted, and their names are the server's", options, async () => {
  const { page, seen, close } = await open(shared, {}, { hash: "#/metrics" });
  const memory = page.getByRole("region", { name: "Memory" });
  await memory.getByText("acme/Loud-7B-Instruct").waitFor();
  await memory.getByText("5.4 GB").waitFor();
  await page.getByRole("img", { name: /Tokens a second, .* now answers [\d.]+/ }).waitFor();
  await page.getByRole("img", { name: /Time to the first token, .* median \d+ ms/ }).waitFor();
  await page.getByRole("img", { name: /Keys and values in use, .* blocks \d+ %/ }).waitFor();
  assert.deepEqual(seen.errors, []);
  await close();
});

test("a server that is gone is told in words", options, async () => {
  const { page, server, close } = await open(shared);
  await page.getByRole("button", { name: "Model: starter" }).waitFor();
  await server.close();
  await say(page, "Are you there?");
  await page.getByRole("alert").filter({ hasText: "The server does not answer" }).waitFor();
  await close().catch(() => undefined);
});

test("programs get words, browsers the page", options, async () => {
  const { page, close, url } = await open(shared);
  const words = await page.request.get(`${url}/`, { headers: { accept: "*/*" } });
  assert.equal(await words.text(), "Ollama is running");
  await close();
});
