// Where messages are written.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { useCell } from "../cell.ts";
import { current } from "../state/chats.ts";
import { asked, chosen, models } from "../state/models.ts";
import { coming, send, stop } from "../state/talk.ts";
import { IconButton } from "./parts.tsx";

/** What was begun and not sent, by chat. */
export const drafts = new Map<string, string>();

export function Composer() {
  const chat = useCell(current);
  const busy = useCell(coming).has(chat.id);
  const model = chosen(chat.model, useCell(models));
  const known = useCell(asked);
  const ready = model !== "" || !known;
  const [text, setText] = useState("");
  const area = useRef<HTMLTextAreaElement>(null);

  useLayoutEffect(() => setText(drafts.get(chat.id) ?? ""), [chat.id]);
  useLayoutEffect(() => grow(area.current), [text]);
  // Without a keyboard of its own, a machine would cover half of the page with one.
  useLayoutEffect(() => {
    if (matchMedia("(hover: hover)").matches) area.current?.focus();
  }, [chat.id]);

  const write = (value: string): void => {
    drafts.set(chat.id, value);
    setText(value);
  };
  const submit = (): void => {
    if (busy || !ready || !text.trim()) return;
    send(text.trim());
    write("");
    area.current?.focus();
  };
  return (
    <div class="composer">
      <div class="composer-box">
        <label class="away" for="message">Message</label>
        <textarea
          id="message" ref={area} rows={1} dir="auto" value={text} enterkeyhint="send" aria-describedby="composer-hint"
          placeholder={ready ? "Write a message" : "Choose a model first"}
          onInput={(event) => write(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
            event.preventDefault();
            submit();
          }}
        />
        {busy ? (
          <IconButton icon="stop" label="Stop" keys="Escape" class="round" onClick={() => stop(chat.id)} />
        ) : (
          <IconButton icon="send" label="Send" class="round" disabled={!ready || !text.trim()} onClick={submit} />
        )}
      </div>
      <p class="hint" id="composer-hint">
        <span class="hint-keys">Enter sends, Shift+Enter begins a line. </span>Models make mistakes: check what matters.
      </p>
    </div>
  );
}

/** Makes the area as high as its text, up to the height that the style allows. */
function grow(area: HTMLTextAreaElement | null): void {
  if (!area) return;
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight}px`;
}
