// Questions and answers: send, stop, edit, again.

import { answer, type Piece, type Said } from "../api/answer.ts";
import { words } from "../api/http.ts";
import { Cell } from "../cell.ts";
import { changed, grown, newId, path } from "../chat/tree.ts";
import type { Chat, Node, Scored, Speed } from "../chat/types.ts";
import { parts } from "../text/think.ts";
import { change, chat as chatOf, current } from "./chats.ts";
import { asked as known, chosen, closely, models, refresh } from "./models.ts";
import { notify, say } from "./notices.ts";
import { defaults } from "./settings.ts";

/** The answers that are coming, by chat. */
export const coming = new Cell<ReadonlyMap<string, AbortController>>(new Map());

/** What the server is sent for a way through a chat. */
export function said(chat: Chat, way: Node[]): Said[] {
  const messages: Said[] = [];
  if (chat.system.trim()) messages.push({ role: "system", content: chat.system });
  for (const { role, text } of way) {
    // A thought is not read again: models are taught without those of earlier answers.
    if (text.trim()) messages.push({ role, content: role === "assistant" ? parts(text).answer : text });
  }
  return messages;
}

/** Sends a message after what is shown. */
export function send(text: string): void {
  ask(text, current.value.leaf);
}

/** Sends another message in the place of one; the one before stays, beside it. */
export function edit(node: Node, text: string): void {
  ask(text, node.parent);
}

function ask(text: string, parent: string | null): void {
  const chat = current.value;
  if (!text.trim() || coming.value.has(chat.id)) return;
  const node: Node = { id: newId(), parent, role: "user", text, at: Date.now() };
  change(chat.id, (chat) => grown(chat, node));
  void respond(chat.id, node.id);
}

/** Asks for another answer in the place of one. */
export function again(node: Node): void {
  const chat = current.value;
  if (node.parent !== null && !coming.value.has(chat.id)) void respond(chat.id, node.parent);
}

export function stop(id: string = current.value.id): void {
  coming.value.get(id)?.abort();
}

async function respond(id: string, parent: string): Promise<void> {
  const chat = chatOf(id);
  if (!chat) return;
  // Whoever is quick has sent something before the list of models is here.
  if (!chat.model && !known.value) await refresh();
  const model = chosen(chat.model, models.value);
  if (!model) {
    notify("There is no model yet: get one with “Choose a model”.");
    return;
  }
  const node: Node = { id: newId(), parent, role: "assistant", text: "", at: Date.now(), model, progress: "waiting" };
  const messages = said(chat, path(chat, parent));
  change(id, (chat) => ({ ...grown(chat, node), model }));
  // Who has not chosen yet stays with what answered first, whatever is loaded meanwhile.
  if (!defaults.value.model) defaults.update((value) => ({ ...value, model }));
  const stop = new AbortController();
  coming.update((all) => new Map(all).set(id, stop));
  const relax = closely();
  const growing = new Growing(id, node.id);
  let end: Partial<Node>;
  try {
    for await (const piece of answer({ model, messages, sampling: chat.sampling, scores: chat.scores }, stop.signal)) {
      growing.add(piece);
    }
    end = { progress: "done" };
  } catch (error) {
    end = stop.signal.aborted ? { progress: "stopped" } : { progress: "failed", error: words(error) };
  }
  growing.end(end);
  relax();
  coming.update((all) => new Map([...all].filter(([key]) => key !== id)));
  if (end.progress === "failed") say(`No answer. ${end.error ?? ""}`);
  else say(end.progress === "stopped" ? "Stopped." : `The answer is complete: ${growing.words()} words.`);
}

/** An answer that grows: what comes is shown some times a second and kept every few seconds. */
class Growing {
  #text = "";
  #thought = "";
  #finish: string | undefined;
  #scored: Scored[] = [];
  #speed: Speed = {};
  #begun = performance.now();
  #first: number | undefined;
  #last = 0;
  #pieces = 0;
  #kept = performance.now();
  #drawn: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly chat: string,
    readonly node: string,
  ) {}

  add({ text, thought, scored, finish, usage }: Piece): void {
    const now = performance.now();
    if (text || thought || scored) {
      if (this.#first === undefined) {
        this.#first = now;
        this.#speed.first = now - this.#begun;
      }
      this.#last = now;
      this.#pieces += 1;
      this.#speed.rest = this.#last - this.#first;
    }
    this.#text += text ?? "";
    this.#thought += thought ?? "";
    if (scored) this.#scored.push(...scored);
    if (finish) this.#finish = finish;
    if (usage?.prompt !== undefined) this.#speed.promptTokens = usage.prompt;
    if (usage?.cached !== undefined) this.#speed.cachedTokens = usage.cached;
    this.#speed.tokens = usage?.completion ?? this.#pieces;
    // Frames of the screen do not come while the page is hidden, but answers do. The longer a text, the longer it takes to draw.
    this.#drawn ??= setTimeout(() => this.#draw(), document.hidden ? 500 : 33 + this.#text.length / 200);
  }

  #now(): Partial<Node> {
    const now: Partial<Node> = { text: this.#text, speed: { ...this.#speed } };
    if (this.#thought) now.thought = this.#thought;
    if (this.#scored.length) now.scored = [...this.#scored];
    if (this.#finish) now.finish = this.#finish;
    return now;
  }

  #draw(): void {
    this.#drawn = undefined;
    const keep = performance.now() - this.#kept > 3_000;
    if (keep) this.#kept = performance.now();
    change(this.chat, (chat) => changed(chat, this.node, { ...this.#now(), progress: "coming" }), keep);
  }

  end(last: Partial<Node>): void {
    clearTimeout(this.#drawn);
    change(this.chat, (chat) => ({ ...changed(chat, this.node, { ...this.#now(), ...last }), changed: Date.now() }));
  }

  words(): number {
    return this.#text.split(/\s+/).filter(Boolean).length;
  }
}
