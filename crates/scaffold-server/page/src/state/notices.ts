// Short notices at the edge of the page, and what is said to screen readers alone.

import { Cell } from "../cell.ts";

export interface Notice {
  text: string;
  action?: { label: string; act: () => void };
}

export const notice = new Cell<Notice | null>(null);
/** What a screen reader says when it has said what it is at. */
export const spoken = new Cell<string>("");

let timer: ReturnType<typeof setTimeout> | undefined;

/** Shows a notice for a while; one that offers something stays longer. */
export function notify(text: string, action?: Notice["action"]): void {
  clearTimeout(timer);
  notice.value = action ? { text, action } : { text };
  say(action ? `${text} ${action.label} is offered.` : text);
  timer = setTimeout(() => (notice.value = null), action ? 12_000 : 7_000);
}

export function say(text: string): void {
  // The same text again is said again only if it was another one in between.
  spoken.value = "";
  setTimeout(() => (spoken.value = text), 50);
}
