// What a model writes runs nothing, loads nothing, and covers nothing.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { answered, browser, closeAll, hasBrowser, open, say } from "./open.mjs";

const options = { skip: !hasBrowser && "no Chromium" };
let shared;
before(async () => (shared = hasBrowser ? await browser() : undefined));
after(() => closeAll(shared));

test("hostile Markdown", options, async () => {
  const { page, seen, close, url } = await open(shared);
  await page.evaluate(() => {
    window.violations = [];
    document.addEventListener("securitypolicyviolation", (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
  });
  const styles = await page.evaluate(() => document.styleSheets.length);
  await say(page, "Be hostile");
  const last = await answered(page);
  assert.match(await last.innerText(), /The end of it\./);
  // A tag stands there as text.
  assert.match(await last.innerText(), /<script>window\.ran = "script"<\/script>/);
  assert.equal(await page.evaluate(() => window.ran), undefined);
  // The policy had nothing to stop: nothing was tried.
  assert.deepEqual(await page.evaluate(() => window.violations), []);
  assert.deepEqual(seen.errors, []);
  assert.deepEqual(seen.strangers, []);
  assert.equal(seen.dialogs, 0);

  const found = await last.locator(".markdown").evaluate((box) => {
    const elements = [...box.querySelectorAll("*")];
    return {
      tags: [...new Set(elements.map((element) => element.tagName))],
      handlers: elements.flatMap((element) => element.getAttributeNames()).filter((name) => name.startsWith("on") || name === "style"),
      links: elements.filter((element) => element.tagName === "A").map((link) => [link.textContent, link.getAttribute("href"), link.rel, link.target]),
      classes: [...new Set(elements.flatMap((element) => [...element.classList]))],
    };
  });
  for (const tag of ["SCRIPT", "IMG", "IFRAME", "SVG", "svg", "STYLE", "FORM", "MATH", "math", "INPUT", "OBJECT", "LINK"]) {
    assert.ok(!found.tags.includes(tag), tag);
  }
  assert.deepEqual(found.handlers, []);
  const followed = found.links.filter(([, href]) => href !== null);
  assert.deepEqual(followed.map(([text, href]) => [text, href]), [["six", "https://other.example/path"], ["seven", "https://other.example/pixel.png?secret"]]);
  for (const [, , rel, target] of followed) assert.deepEqual([rel, target], ["noopener noreferrer nofollow", "_blank"]);
  for (const name of found.classes) assert.match(name, /^(hljs-.*|language-.*|code|code-head|table|\w+_)$/);
  assert.equal(await page.evaluate(() => document.styleSheets.length), styles);
  assert.ok(page.url().startsWith(url));
  await close();
});

test("a text that takes long does not hold up the page", options, async () => {
  const { page, close } = await open(shared);
  await say(page, "Go deep");
  const last = await answered(page, 30_000);
  assert.match(await last.innerText(), /The end of it\./);
  const begun = Date.now();
  await page.keyboard.press("Alt+n");
  await page.getByText("What would you like to know?").waitFor();
  assert.ok(Date.now() - begun < 2_000);
  await close();
});

test("the policy stops what would get through", options, async () => {
  const { page, close, url } = await open(shared);
  await page.evaluate(() => {
    window.violations = [];
    document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.effectiveDirective));
  });
  await page.evaluate(() => {
    const script = document.createElement("script");
    try {
      script.textContent = "window.ran = 1";
    } catch {
      // Trusted Types say no before the policy has to.
    }
    document.body.append(script);
    const image = new Image();
    image.src = "https://other.example/pixel.png";
    const box = document.createElement("div");
    box.setAttribute("style", "position: fixed");
    document.body.append(box);
    const frame = document.createElement("iframe");
    frame.src = "/";
    document.body.append(frame);
    fetch("https://other.example/").catch(() => undefined);
    try {
      box.innerHTML = "<b>x</b>";
    } catch {
      window.refused = true;
    }
  });
  await page.waitForTimeout(300);
  const violations = new Set(await page.evaluate(() => window.violations));
  for (const directive of ["img-src", "style-src-attr", "frame-src", "connect-src", "require-trusted-types-for"]) {
    assert.ok(violations.has(directive), `${directive} of ${[...violations]}`);
  }
  assert.equal(await page.evaluate(() => window.ran), undefined);
  assert.equal(await page.evaluate(() => window.refused), true);
  const response = await page.request.get(`${url}/`, { headers: { accept: "text/html" } });
  assert.match(response.headers()["content-security-policy"], /default-src 'none'/);
  await close();
});
