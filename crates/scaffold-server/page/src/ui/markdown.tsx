// A text in Markdown, drawn block by block: while an answer comes, the blocks before stay as they are, with what is selected.

import { useLayoutEffect, useRef } from "preact/hooks";
import { blocks, safe } from "../text/markdown.ts";
import { copy } from "./parts.tsx";

export function Markdown({ text }: { text: string }) {
  const box = useRef<HTMLDivElement>(null);
  const drawn = useRef<string[]>([]);
  useLayoutEffect(() => {
    if (box.current) drawn.current = draw(box.current, drawn.current, blocks(text));
  }, [text]);
  return <div class="markdown" ref={box} />;
}

/** Makes the children of `box` those of `wanted`; `drawn` says what they are now. */
function draw(box: HTMLElement, drawn: string[], wanted: string[]): string[] {
  let same = 0;
  while (same < drawn.length && same < wanted.length && drawn[same] === wanted[same]) same += 1;
  while (box.childElementCount > same) box.lastElementChild?.remove();
  for (const html of wanted.slice(same)) {
    const block = document.createElement("div");
    block.append(safe(html));
    furnish(block);
    box.append(block);
  }
  return wanted;
}

/** Gives code its head with the language and a button, and tables a frame that scrolls. */
function furnish(block: HTMLElement): void {
  for (const pre of block.querySelectorAll("pre")) {
    const code = pre.querySelector("code");
    const language = [...(code?.classList ?? [])].find((name) => name.startsWith("language-"))?.slice("language-".length);
    const head = document.createElement("div");
    head.className = "code-head";
    const name = document.createElement("span");
    name.textContent = language ?? "";
    head.append(name, copyButton(pre));
    const frame = document.createElement("div");
    frame.className = "code";
    pre.replaceWith(frame);
    scrolls(pre, language ? `Code, ${language}` : "Code");
    frame.append(head, pre);
  }
  for (const table of block.querySelectorAll("table")) {
    const frame = document.createElement("div");
    frame.className = "table";
    table.replaceWith(frame);
    frame.append(table);
    scrolls(frame, "Table");
  }
}

/** What may be wider than the page is reached with the keyboard, too. */
function scrolls(element: HTMLElement, label: string): void {
  element.tabIndex = 0;
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", label);
}

function copyButton(pre: HTMLElement): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", () => {
    void copy(pre.textContent ?? "").then((done) => {
      button.textContent = done ? "Copied" : "Not copied";
      setTimeout(() => (button.textContent = "Copy"), 1_500);
    });
  });
  return button;
}
