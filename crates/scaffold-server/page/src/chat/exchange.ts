// Chats as files: one JSON document, to be read by people and programs, and by this page again.

import { newId, titleOf } from "./tree.ts";
import type { Chat, Node, Sampling } from "./types.ts";

const FORMAT = "scaffold-chats-1";

export function exported(chats: Chat[]): string {
  return `${JSON.stringify({ format: FORMAT, chats }, null, 2)}\n`;
}

/** Hands a text to the browser as a file to keep. */
export function download(name: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** A name that every file system takes. */
export function fileName(title: string): string {
  const plain = title.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "");
  return `${plain.slice(0, 60) || "chat"}.json`;
}

/**
 * The chats in a file that this page wrote. They get new names, so that none takes the place of another.
 *
 * Throws an error that says what is wrong with the file.
 */
export function imported(text: string): Chat[] {
  let file: { format?: unknown; chats?: unknown };
  try {
    file = JSON.parse(text) as typeof file;
  } catch {
    throw new Error("This file is not JSON: choose one that this page exported.");
  }
  if (file?.format !== FORMAT || !Array.isArray(file.chats)) {
    throw new Error(`This file holds no chats of this page: its \`format\` must be \`${FORMAT}\`.`);
  }
  return file.chats.map(chatFrom);
}

type Loose = Record<string, unknown>;

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
const numberOf = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) ? value : undefined;

function chatFrom(value: unknown): Chat {
  const from = (typeof value === "object" && value !== null ? value : {}) as Loose;
  const nodes = (Array.isArray(from.nodes) ? from.nodes : []).map(nodeFrom);
  const known = new Set(nodes.map((node) => node.id));
  for (const node of nodes) if (node.parent !== null && !known.has(node.parent)) node.parent = null;
  const leaf = textOf(from.leaf);
  return {
    id: newId(),
    title: textOf(from.title) || titleOf(nodes[0]?.text ?? ""),
    named: from.named === true,
    created: numberOf(from.created) ?? Date.now(),
    changed: numberOf(from.changed) ?? Date.now(),
    model: textOf(from.model),
    system: textOf(from.system),
    sampling: samplingFrom(from.sampling),
    scores: from.scores === true,
    nodes,
    leaf: known.has(leaf) ? leaf : (nodes.at(-1)?.id ?? null),
  };
}

function nodeFrom(value: unknown): Node {
  const from = (typeof value === "object" && value !== null ? value : {}) as Loose;
  const node: Node = {
    id: textOf(from.id) || newId(),
    parent: typeof from.parent === "string" ? from.parent : null,
    role: from.role === "assistant" ? "assistant" : "user",
    text: textOf(from.text),
    at: numberOf(from.at) ?? Date.now(),
  };
  if (node.role === "assistant") node.progress = "done";
  for (const field of ["model", "thought", "error", "finish"] as const) {
    if (typeof from[field] === "string") node[field] = from[field];
  }
  return node;
}

function samplingFrom(value: unknown): Sampling {
  const from = (typeof value === "object" && value !== null ? value : {}) as Loose;
  const sampling: Sampling = {};
  for (const field of ["temperature", "top_p", "top_k", "max_tokens", "seed"] as const) {
    const number = numberOf(from[field]);
    if (number !== undefined) sampling[field] = number;
  }
  if (Array.isArray(from.stop)) sampling.stop = from.stop.map(textOf).filter(Boolean);
  return sampling;
}
