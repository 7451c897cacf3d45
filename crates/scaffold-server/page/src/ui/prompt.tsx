// The prompt as the model sees it, with the ids of its tokens.

import { useEffect, useState } from "preact/hooks";
import { words } from "../api/http.ts";
import { render, type Prompt } from "../api/render.ts";
import { path } from "../chat/tree.ts";
import { current } from "../state/chats.ts";
import { chosen, models } from "../state/models.ts";
import { said } from "../state/talk.ts";
import { texts } from "../text/pieces.ts";
import { drafts } from "./composer.tsx";
import { count } from "./format.ts";
import { CopyButton, Dialog } from "./parts.tsx";

export function PromptDialog({ onClose }: { onClose: () => void }) {
  const [prompt, setPrompt] = useState<Prompt | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [ids, setIds] = useState(false);
  useEffect(() => {
    const stop = new AbortController();
    const chat = current.value;
    const way = path(chat);
    const draft = drafts.get(chat.id)?.trim();
    // What would be sent now, or what the last answer was given to.
    const asked = draft || way.at(-1)?.role !== "assistant" ? way : way.slice(0, -1);
    const messages = said(chat, asked);
    if (draft) messages.push({ role: "user", content: draft });
    if (messages.length === 0) return setProblem("There is no prompt yet: write a message first.");
    render(chosen(chat.model, models.value), messages, stop.signal)
      .then(setPrompt)
      .catch((error: unknown) => stop.signal.aborted || setProblem(words(error)));
    return () => stop.abort();
  }, []);
  return (
    <Dialog title="The prompt as the model sees it" class="prompt" onClose={onClose}>
      {problem && <p class="trouble" role="alert">{problem}</p>}
      {!prompt && !problem && <p class="quiet">Asking the server…</p>}
      {prompt && (
        <>
          <div class="row spread">
            <div class="tabs" role="group" aria-label="Show the prompt as">
              <button type="button" aria-pressed={!ids} onClick={() => setIds(false)}>Text</button>
              <button type="button" aria-pressed={ids} onClick={() => setIds(true)}>Tokens</button>
            </div>
            <span class="row">
              <span class="quiet">{count(prompt.ids.length)} tokens</span>
              <CopyButton text={() => (ids ? prompt.ids.join(" ") : prompt.text)} label="Copy" />
            </span>
          </div>
          {ids ? <Ids {...prompt} /> : <pre class="prompt-text" tabIndex={0} aria-label="Text of the prompt">{prompt.text}</pre>}
        </>
      )}
    </Dialog>
  );
}

/** More are not drawn, which would take long. */
const MOST = 5_000;

function Ids({ ids, pieces }: Prompt) {
  const words = pieces && texts(pieces);
  return (
    <div class="ids" tabIndex={0} role="group" aria-label="Tokens of the prompt">
      {ids.slice(0, MOST).map((id, index) => (
        <span key={index}>
          {words && <code>{(words[index] ?? "").replace(/\n/g, "⏎")}</code>}
          {id}
        </span>
      ))}
      {ids.length > MOST && <p class="quiet">…and {count(ids.length - MOST)} more</p>}
    </div>
  );
}
