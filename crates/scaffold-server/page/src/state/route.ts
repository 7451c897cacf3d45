// Which view is shown, by the address after `#`, so that back and forward work.

import { Cell } from "../cell.ts";
import { current, show, start } from "./chats.ts";
import { notify } from "./notices.ts";

export type View = "chat" | "metrics";
export const view = new Cell<View>("chat");
/** Which dialog is open. */
export const dialog = new Cell<"models" | "prompt" | "help" | "key" | "settings" | "rename" | "chats" | null>(null);

/** The address of a view. */
export const toChat = (id: string): string => `#/chat/${id}`;
export const TO_METRICS = "#/metrics";
export const TO_NEW = "#/";

async function follow(): Promise<void> {
  const [, place, id] = location.hash.split("/");
  dialog.value = null;
  if (place === "metrics") {
    view.value = "metrics";
    return;
  }
  view.value = "chat";
  if (place === "chat" && id) {
    if (await show(id)) return;
    notify("That chat is not in this browser.");
    history.replaceState(null, "", TO_NEW);
  }
  start();
}

export function beginRoutes(): void {
  addEventListener("hashchange", () => void follow());
  // A new chat gets its address with its first message, without a step in the history.
  current.listen(() => {
    const { id, nodes } = current.value;
    const wanted = nodes.length ? toChat(id) : TO_NEW;
    if (view.value === "chat" && location.hash !== wanted) history.replaceState(null, "", wanted);
  });
  void follow();
}

export function newChat(): void {
  // At once, and not when the browser tells of the address: what is typed next belongs to the new chat.
  if (location.hash !== TO_NEW && location.hash !== "") history.pushState(null, "", TO_NEW);
  dialog.value = null;
  view.value = "chat";
  start();
  document.getElementById("message")?.focus();
  setTimeout(() => document.getElementById("message")?.focus(), 50);
}
