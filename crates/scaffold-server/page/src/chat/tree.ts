// A chat as a tree: whoever edits a message or asks for another answer loses nothing.

import type { Chat, Node } from "./types.ts";

/** The messages from the first one down to `leaf`. */
export function path(chat: Chat, leaf: string | null = chat.leaf): Node[] {
  const byId = new Map(chat.nodes.map((node) => [node.id, node]));
  const way: Node[] = [];
  const seen = new Set<string>();
  for (let at = leaf; at !== null && !seen.has(at); ) {
    const node = byId.get(at);
    if (!node) break;
    seen.add(at);
    way.push(node);
    at = node.parent;
  }
  return way.reverse();
}

/** A message and its alternatives, the oldest first. */
export function siblings(chat: Chat, node: Node): Node[] {
  return chat.nodes.filter((other) => other.parent === node.parent && other.role === node.role);
}

/** The chat with the way through `id` shown, as far as it goes. */
export function shown(chat: Chat, id: string): Chat {
  let leaf = id;
  for (;;) {
    const next = chat.nodes.findLast((node) => node.parent === leaf);
    if (!next) return { ...chat, leaf };
    leaf = next.id;
  }
}

/** The chat with a message more, which is the last of what is shown. */
export function grown(chat: Chat, node: Node): Chat {
  return { ...chat, nodes: [...chat.nodes, node], leaf: node.id, changed: node.at };
}

/** The chat with a message changed. */
export function changed(chat: Chat, id: string, change: Partial<Node>): Chat {
  return { ...chat, nodes: chat.nodes.map((node) => (node.id === id ? { ...node, ...change } : node)) };
}

/** What to call a chat that nobody has named: the first words of its first message. */
export function titleOf(text: string): string {
  const line = text.trim().split(/\s+/).join(" ");
  if (line.length <= 60) return line || "New chat";
  const cut = line.slice(0, 60);
  return `${cut.slice(0, cut.lastIndexOf(" ") > 30 ? cut.lastIndexOf(" ") : 60)}…`;
}

export function newId(): string {
  // `crypto.randomUUID` is missing where the page did not come over HTTPS or from this machine.
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
