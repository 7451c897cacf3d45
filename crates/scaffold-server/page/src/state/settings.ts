// What a person has set for all chats, kept by the browser.

import { Cell } from "../cell.ts";
import type { Sampling } from "../chat/types.ts";

export type Theme = "system" | "light" | "dark";

/** What a new chat begins with. */
export interface Defaults {
  model: string;
  system: string;
  sampling: Sampling;
  scores: boolean;
}

const NONE: Defaults = { model: "", system: "", sampling: {}, scores: false };

function read<T>(key: string, otherwise: T): T {
  try {
    const text = localStorage.getItem(`scaffold.${key}`);
    return text === null ? otherwise : (JSON.parse(text) as T);
  } catch {
    return otherwise;
  }
}

function write(key: string, value: unknown): void {
  try {
    localStorage.setItem(`scaffold.${key}`, JSON.stringify(value));
  } catch {
    // It lasts as long as the page then.
  }
}

export const theme = new Cell<Theme>(read<Theme>("theme", "system"));
export const defaults = new Cell<Defaults>({ ...NONE, ...read<Partial<Defaults>>("defaults", {}) });
/** Names of models that this page has fetched, by which the server may list them otherwise. */
export const fetched = new Cell<string[]>(read<string[]>("fetched", []));
/** Whether the settings stand beside the chat. */
export const panel = new Cell<boolean>(read("panel", false));

theme.listen(() => {
  write("theme", theme.value);
  applyTheme();
});
defaults.listen(() => write("defaults", defaults.value));
fetched.listen(() => write("fetched", fetched.value));
panel.listen(() => write("panel", panel.value));

export function applyTheme(): void {
  if (theme.value === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
}
