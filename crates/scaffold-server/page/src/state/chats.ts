// The chats of this browser, and the one that is shown.

import { Cell } from "../cell.ts";
import * as store from "../chat/store.ts";
import { newId, titleOf } from "../chat/tree.ts";
import type { Chat, Head } from "../chat/types.ts";
import { notify } from "./notices.ts";
import { defaults } from "./settings.ts";

export const heads = new Cell<Head[]>([]);
/** The chat that is shown; one without messages is kept nowhere yet. */
export const current = new Cell<Chat>(fresh());

/** Chats that were changed here, by id: those that answer while another one is shown among them. */
const open = new Map<string, Chat>();

export function fresh(): Chat {
  const { model, system, sampling, scores } = defaults.value;
  const now = Date.now();
  return {
    id: newId(), title: "New chat", named: false, created: now, changed: now,
    model, system, sampling: { ...sampling }, scores, nodes: [], leaf: null,
  };
}

export function chat(id: string): Chat | undefined {
  return current.value.id === id ? current.value : open.get(id);
}

/** Changes a chat, wherever it is; `keep` says whether it goes to the disk now. */
export function change(id: string, by: (chat: Chat) => Chat, keep = true): void {
  const before = chat(id);
  if (!before) return;
  const after = by(before);
  if (!after.named && after.nodes.length) after.title = titleOf(after.nodes[0]?.text ?? "");
  open.set(id, after);
  if (current.value.id === id) current.value = after;
  if (keep && after.nodes.length) void kept(after);
}

async function kept(chat: Chat): Promise<void> {
  try {
    await store.save(chat);
    heads.update((all) => {
      const known = all.find(({ id }) => id === chat.id);
      if (known && known.title === chat.title && known.changed === chat.changed) return all;
      const others = all.filter(({ id }) => id !== chat.id);
      return [store.headOf(chat), ...others].sort((a, b) => b.changed - a.changed);
    });
  } catch (error) {
    notify(`The browser could not keep this chat: ${error instanceof Error ? error.message : String(error)}. Export it, or delete others.`);
  }
}

/** Shows a chat; says whether there is one. */
export async function show(id: string): Promise<boolean> {
  if (current.value.id === id) return true;
  const found = open.get(id) ?? (await store.load(id).catch(() => undefined));
  if (!found) return false;
  const chat = open.has(id) ? found : brokenOff(found);
  open.set(id, chat);
  current.value = chat;
  return true;
}

/** A chat of the disk: an answer that was coming when the page was closed does not come any more. */
function brokenOff(chat: Chat): Chat {
  const nodes = chat.nodes.map((node) =>
    node.progress === "waiting" || node.progress === "coming" ? { ...node, progress: "stopped" as const } : node,
  );
  return { ...chat, nodes };
}

export function start(): void {
  if (current.value.nodes.length) current.value = fresh();
}

export async function remove(id: string): Promise<void> {
  const gone = chat(id) ?? (await store.load(id));
  if (!gone) return;
  open.delete(id);
  await store.remove(id);
  heads.update((all) => all.filter((head) => head.id !== id));
  if (current.value.id === id) current.value = fresh();
  notify(`“${gone.title}” was deleted.`, { label: "Undo", act: () => void restore([gone]) });
}

/** Puts chats back, or adds those of a file. */
export async function restore(chats: Chat[]): Promise<void> {
  for (const chat of chats) await kept(chat);
}

export async function all(): Promise<Chat[]> {
  const found = await Promise.all(heads.value.map(({ id }) => chat(id) ?? store.load(id)));
  return found.filter((chat) => chat !== undefined);
}

export async function begin(): Promise<void> {
  heads.value = await store.heads().catch(() => []);
  store.onOthers((id) => {
    void store.heads().then((found) => (heads.value = found));
    // What another tab has changed is read anew, unless this one is answering in it.
    const mine = chat(id);
    if (mine?.nodes.some(({ progress }) => progress === "waiting" || progress === "coming")) return;
    void store.load(id).then((found) => {
      open.delete(id);
      if (found && current.value.id === id) current.value = found;
    });
  });
}
