// The keys of the page.

import { current, heads } from "../state/chats.ts";
import { dialog, newChat, TO_METRICS, toChat, view } from "../state/route.ts";
import { stop } from "../state/talk.ts";

const MAC = /Mac|iPhone|iPad/.test(navigator.platform);

/** On a Mac, Option alone writes letters; elsewhere Ctrl and Alt together do (AltGr). */
const HELD = MAC ? "Control + Option" : "Alt";

export const names = {
  newChat: `${HELD} + N`,
  message: `${HELD} + C`,
  models: `${HELD} + L`,
  settings: `${HELD} + S`,
  prompt: `${HELD} + P`,
  metrics: `${HELD} + M`,
  help: `${HELD} + H`,
  before: `${HELD} + Up`,
  after: `${HELD} + Down`,
};

const toggle = (which: NonNullable<typeof dialog.value>) => (): void => {
  dialog.value = dialog.value === which ? null : which;
};

export function beginKeys(settings: () => void): void {
  const acts: Record<string, () => void> = {
    KeyN: newChat,
    KeyC: () => document.getElementById("message")?.focus(),
    KeyL: toggle("models"),
    KeyS: settings,
    KeyP: toggle("prompt"),
    KeyM: () => (location.hash = view.value === "metrics" ? toChat(current.value.id) : TO_METRICS),
    KeyH: toggle("help"),
    ArrowUp: () => step(-1),
    ArrowDown: () => step(1),
  };
  addEventListener("keydown", (event) => {
    // Dialogs and menus take Escape before it comes here.
    if (event.key === "Escape" && !event.defaultPrevented && dialog.value === null && view.value === "chat") return stop();
    const held = event.altKey && !event.metaKey && event.ctrlKey === MAC && !event.getModifierState("AltGraph");
    const act = acts[event.code];
    if (!held || event.shiftKey || !act) return;
    event.preventDefault();
    act();
  });
}

/** Goes to the chat before or after the shown one in the list. */
function step(by: number): void {
  const all = heads.value;
  const at = all.findIndex(({ id }) => id === current.value.id);
  const to = all[at < 0 ? 0 : at + by];
  if (to) location.hash = toChat(to.id);
}
