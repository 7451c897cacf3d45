// Markdown of a model as elements.
//
// What a model writes is hostile: it may repeat what a stranger put into a document. Three fences stand one behind the other:
// tags are shown as text and not as tags, but for a handful that only format; DOMPurify lets through listed elements and
// attributes only; and the server's Content-Security-Policy lets nothing run or load.

import DOMPurify from "dompurify";
import { Marked } from "marked";
import { highlighted } from "./highlight.ts";

/** Tags that models write into Markdown because it has nothing of its own for them. */
const FORMATTING = /^<\/?(?:br|sub|sup|kbd|mark|ins|u)\s*\/?>$/i;

/** Longer texts are shown as they are: to parse them with every token would hold up the page. */
const LONGEST = 300_000;

export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

const marked = new Marked({
  gfm: true,
  async: false,
  renderer: {
    html({ text }) {
      return FORMATTING.test(text.trim()) ? text : escaped(text);
    },
    code({ text, lang }) {
      const language = (lang ?? "").trim().split(/\s+/)[0] ?? "";
      const code = highlighted(text, language.toLowerCase()) ?? escaped(text);
      return `<pre><code class="language-${escaped(language)}">${code}</code></pre>`;
    },
    // Nothing is loaded because a model names it: an image is a link to it.
    image({ href, text }) {
      return `<a href="${escaped(href)}">${escaped(text || href)}</a>`;
    },
    checkbox({ checked }) {
      return checked ? "☑ " : "☐ ";
    },
  },
});

DOMPurify.addHook("afterSanitizeAttributes", (element) => {
  if (element.tagName !== "A") return;
  if (!element.hasAttribute("href")) return;
  element.setAttribute("target", "_blank");
  element.setAttribute("rel", "noopener noreferrer nofollow");
});

const ALLOWED = {
  ALLOWED_TAGS: [
    "a", "b", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "ins", "kbd", "li", "mark",
    "ol", "p", "pre", "s", "span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "u", "ul",
  ],
  ALLOWED_ATTR: ["align", "class", "href", "start"],
  // Whatever is not on this list must look like an address.
  ADD_URI_SAFE_ATTR: ["align", "start"],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  // Addresses of other hosts and of mail. One of this server's own would be asked for with a click that the model brought about.
  ALLOWED_URI_REGEXP: /^(?:https?:\/\/|mailto:)/i,
  RETURN_DOM_FRAGMENT: true as const,
};

/** Milliseconds that a text may take. Some texts take thousands, such as lists in lists in lists. */
const PATIENCE = 250;
/** What took longer: whatever begins with it is shown as it is, so that an answer does not hold up the page with each token. */
let slow: string | undefined;

/** The HTML of each block of a text. It is not safe yet. */
export function blocks(text: string): string[] {
  if (text.length > LONGEST || (slow !== undefined && text.startsWith(slow))) return asItIs(text);
  const begun = performance.now();
  try {
    const tokens = marked.lexer(text);
    return tokens.filter(({ type }) => type !== "space").map((token) => marked.parser([token]));
  } catch {
    return asItIs(text);
  } finally {
    if (performance.now() - begun > PATIENCE) slow = text;
  }
}

function asItIs(text: string): string[] {
  return [`<pre><code>${escaped(text)}</code></pre>`];
}

/** HTML as elements that can do nothing. */
export function safe(html: string): DocumentFragment {
  const fragment = DOMPurify.sanitize(html, ALLOWED);
  for (const element of fragment.querySelectorAll("[class]")) keepClasses(element);
  return fragment;
}

/** Classes of highlighted code. */
const CODE = /^(?:(?:hljs|language)-[\w+#.-]*|(?:function|class|constant|built_in|language|inherited_)_)$/;

/** Leaves an element the classes of code only: others could make a text look like a part of the page. */
function keepClasses(element: Element): void {
  const kept = [...element.classList].filter((name) => CODE.test(name));
  if (kept.length) element.className = kept.join(" ");
  else element.removeAttribute("class");
}
