// One message with what can be done with it.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { useCell } from "../cell.ts";
import { shown, siblings } from "../chat/tree.ts";
import type { Chat, Node } from "../chat/types.ts";
import { change } from "../state/chats.ts";
import { models } from "../state/models.ts";
import { again, edit } from "../state/talk.ts";
import { parts } from "../text/think.ts";
import { count, duration, percent } from "./format.ts";
import { Markdown } from "./markdown.tsx";
import { CopyButton, IconButton } from "./parts.tsx";
import { Scores } from "./scores.tsx";

interface Props {
  chat: Chat;
  node: Node;
  /** Whether an answer is coming in this chat. */
  busy: boolean;
}

export function Message(props: Props) {
  return props.node.role === "user" ? <Asked {...props} /> : <Answered {...props} />;
}

function Asked({ chat, node, busy }: Props) {
  const [editing, setEditing] = useState(false);
  const [draft, setDraft] = useState(node.text);
  const area = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    if (!editing) return;
    area.current?.focus();
    area.current?.setSelectionRange(draft.length, draft.length);
  }, [editing]);
  const leave = (): void => setEditing(false);
  const sendAgain = (): void => {
    leave();
    edit(node, draft);
  };
  if (editing) {
    return (
      <article class="message asked editing" aria-label="Your message, being edited">
        <textarea
          ref={area} class="field" rows={Math.min(12, draft.split("\n").length + 1)} value={draft} aria-label="Your message"
          onInput={(event) => setDraft(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.isComposing) return;
            if (event.key === "Escape") leave();
            else if (event.key === "Enter" && !event.shiftKey) sendAgain();
            else return;
            event.preventDefault();
            event.stopPropagation();
          }}
        />
        <div class="row end">
          <button type="button" class="button" onClick={leave}>Cancel</button>
          <button type="button" class="button primary" disabled={!draft.trim() || busy} onClick={sendAgain}>Send</button>
        </div>
      </article>
    );
  }
  return (
    <article class="message asked" aria-label="You">
      <div class="bubble" dir="auto">{node.text}</div>
      <footer class="actions">
        <Alternatives chat={chat} node={node} busy={busy} />
        <CopyButton text={() => node.text} label="Copy message" />
        <IconButton
          icon="edit" label="Edit message" disabled={busy}
          onClick={() => {
            setDraft(node.text);
            setEditing(true);
          }}
        />
      </footer>
    </article>
  );
}

function Answered({ chat, node, busy }: Props) {
  const [scores, setScores] = useState(false);
  const { thought, answer, open } = parts(node.text);
  const coming = node.progress === "waiting" || node.progress === "coming";
  const thinking = node.thought ?? thought;
  return (
    <article class="message answered" aria-label={`Answer of ${node.model ?? "the model"}`} aria-busy={coming}>
      {thinking && (
        <details class="thought">
          <summary>{coming && (open || !answer) ? "Thinking…" : "What it thought"}</summary>
          <Markdown text={thinking} />
        </details>
      )}
      {scores && node.scored ? <Scores scored={node.scored} /> : answer && <Markdown text={answer} />}
      {node.progress === "waiting" && <Waiting model={node.model ?? ""} />}
      {node.progress === "coming" && <span class="caret" aria-hidden="true" />}
      {node.error && (
        <div class="trouble" role="alert">
          <p>{node.error}</p>
          <button type="button" class="button" disabled={busy} onClick={() => again(node)}>Try again</button>
        </div>
      )}
      {!coming && (
        <footer class="actions">
          <Alternatives chat={chat} node={node} busy={busy} />
          {answer && <CopyButton text={() => answer} label="Copy answer" />}
          <IconButton icon="again" label="Answer again" disabled={busy} onClick={() => again(node)} />
          {node.scored && (
            <IconButton icon="shade" label="Show how likely each token was" pressed={scores} onClick={() => setScores(!scores)} />
          )}
          <Facts node={node} />
        </footer>
      )}
    </article>
  );
}

function Waiting({ model }: { model: string }) {
  const list = useCell(models);
  const found = list.find(({ name }) => name === model.replace(/:latest$/, ""));
  const loads = found !== undefined && found.stage !== "loaded";
  const part = found?.stage === "loading" ? found.part : undefined;
  const verb = found?.word === "fetching" ? "Fetching" : "Loading";
  return (
    <p class="waiting">
      <span class="dots" aria-hidden="true"><i /><i /><i /></span>
      {loads ? `${verb} ${model}${part === undefined ? "" : `, ${percent(part)}`}` : "Reading"}
    </p>
  );
}

/** Steps through the alternatives of a message. */
function Alternatives({ chat, node, busy }: Props) {
  const all = siblings(chat, node);
  if (all.length < 2) return null;
  const at = all.findIndex(({ id }) => id === node.id);
  const go = (to: number): void => {
    const other = all[to];
    if (other) change(chat.id, (chat) => shown(chat, other.id));
  };
  const kind = node.role === "user" ? "message" : "answer";
  return (
    <span class="alternatives" role="group" aria-label={`Versions of this ${kind}`}>
      <IconButton icon="left" label={`Earlier version of this ${kind}`} disabled={busy || at === 0} onClick={() => go(at - 1)} />
      <span>{at + 1} of {all.length}</span>
      <IconButton icon="right" label={`Later version of this ${kind}`} disabled={busy || at === all.length - 1} onClick={() => go(at + 1)} />
    </span>
  );
}

const ENDS: Record<string, string> = { length: "cut at the limit of tokens", content_filter: "held back" };

function Facts({ node }: { node: Node }) {
  const { speed, finish, progress, model } = node;
  const facts: string[] = [];
  if (progress === "stopped") facts.push("stopped");
  if (finish && ENDS[finish]) facts.push(ENDS[finish]);
  // What came all at once says nothing about speed.
  if (speed?.tokens && speed.tokens > 1 && speed.rest && speed.rest > 20) {
    facts.push(`${((speed.tokens - 1) / (speed.rest / 1000)).toFixed(1)} tokens/s`);
  }
  if (speed?.first !== undefined) facts.push(`first after ${duration(speed.first)}`);
  if (speed?.promptTokens !== undefined) facts.push(`${count(speed.promptTokens)} → ${count(speed.tokens ?? 0)} tokens`);
  else if (speed?.tokens) facts.push(`${count(speed.tokens)} tokens`);
  const cached = speed?.cachedTokens ? `${count(speed.cachedTokens)} of the prompt's tokens were known already. ` : "";
  return <span class="facts" title={`${cached}${model ?? ""}`}>{facts.join(" · ")}</span>;
}
