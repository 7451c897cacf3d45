// How answers of a chat are made: the words that stand before it, and how tokens are chosen.

import { useEffect, useState } from "preact/hooks";
import { useCell } from "../cell.ts";
import type { Chat, Sampling } from "../chat/types.ts";
import { change, current } from "../state/chats.ts";
import { notify } from "../state/notices.ts";
import { defaults } from "../state/settings.ts";

interface Field {
  key: "temperature" | "top_p" | "top_k" | "max_tokens" | "seed";
  label: string;
  help: string;
  min?: number;
  max?: number;
  step?: number;
}

const FIELDS: Field[] = [
  { key: "temperature", label: "Temperature", help: "0 always takes the likeliest token", min: 0, max: 2, step: 0.1 },
  { key: "top_p", label: "Top p", help: "Only the likeliest tokens that make up this part", min: 0, max: 1, step: 0.05 },
  { key: "top_k", label: "Top k", help: "Only so many of the likeliest tokens", min: 0, step: 1 },
  { key: "max_tokens", label: "Tokens at most", help: "Where an answer is cut", min: 1, step: 1 },
  { key: "seed", label: "Seed", help: "The same seed gives the same answer", min: 0, step: 1 },
];

function set(by: (chat: Chat) => Partial<Chat>): void {
  change(current.value.id, (chat) => ({ ...chat, ...by(chat) }));
}

export function Settings() {
  const chat = useCell(current);
  // Fields begin anew with each reset, also those that hold what is no number.
  const [resets, setResets] = useState(0);
  const reset = (): void => {
    set(() => ({ sampling: {}, system: "", scores: false }));
    setResets(resets + 1);
  };
  const keep = (): void => {
    const { model, system, sampling, scores } = current.value;
    defaults.value = { model, system, sampling, scores };
    notify("New chats begin with these settings.");
  };
  return (
    <div class="settings">
      <label class="stack">
        <span>System prompt</span>
        <textarea
          class="field" rows={5} value={chat.system} placeholder="What the model should know and heed in this chat"
          onInput={(event) => {
            const system = event.currentTarget.value;
            set(() => ({ system }));
          }}
        />
      </label>
      <fieldset class="numbers">
        <legend>How tokens are chosen</legend>
        <p class="quiet">What is empty is left to the server.</p>
        {FIELDS.map((field) => (
          <NumberField key={`${chat.id} ${field.key} ${resets}`} field={field} value={chat.sampling[field.key]} />
        ))}
      </fieldset>
      <StopField key={`${chat.id} ${resets}`} stop={chat.sampling.stop ?? []} />
      <label class="check">
        <input
          type="checkbox" checked={chat.scores}
          onChange={(event) => {
            const scores = event.currentTarget.checked;
            set(() => ({ scores }));
          }}
        />
        <span>Ask how likely each token was<small>Answers can then be shown in colours</small></span>
      </label>
      <div class="row">
        <button type="button" class="button" onClick={keep}>Keep for new chats</button>
        <button type="button" class="button" onClick={reset}>Reset</button>
      </div>
    </div>
  );
}

function NumberField({ field, value }: { field: Field; value: number | undefined }) {
  const [text, setText] = useState(value === undefined ? "" : String(value));
  // Another tab changes the value from outside.
  useEffect(() => {
    if (numberIn(text) !== value) setText(value === undefined ? "" : String(value));
  }, [value]);
  const wrong = text.trim() !== "" && !fits(field, numberIn(text));
  const id = `set-${field.key}`;
  return (
    <div class="number-field">
      <label for={id}>{field.label}<small id={`${id}-help`}>{wrong ? rangeOf(field) : field.help}</small></label>
      <input
        id={id} class="field" type="text" inputmode="decimal" value={text} placeholder="–" autocomplete="off"
        aria-describedby={`${id}-help`} aria-invalid={wrong}
        onInput={(event) => {
          const text = event.currentTarget.value;
          setText(text);
          const number = numberIn(text);
          if (number === undefined ? text.trim() !== "" : !fits(field, number)) return;
          set(({ sampling }) => ({ sampling: withField(sampling, field.key, number) }));
        }}
      />
    </div>
  );
}

function numberIn(text: string): number | undefined {
  const number = Number(text.trim().replace(",", "."));
  return text.trim() === "" || !Number.isFinite(number) ? undefined : number;
}

function fits({ min, max, step }: Field, value: number | undefined): boolean {
  if (value === undefined) return false;
  return value >= (min ?? -Infinity) && value <= (max ?? Infinity) && (step !== 1 || Number.isSafeInteger(value));
}

function rangeOf({ min, max, step }: Field): string {
  const kind = step === 1 ? "A whole number" : "A number";
  return max === undefined ? `${kind} from ${min}` : `${kind} from ${min} to ${max}`;
}

function withField(sampling: Sampling, key: Field["key"], value: number | undefined): Sampling {
  const { [key]: _, ...others } = sampling;
  return value === undefined ? others : { ...others, [key]: value };
}

function StopField({ stop }: { stop: string[] }) {
  const [text, setText] = useState(stop.map(shownAs).join("\n"));
  return (
    <label class="stack">
      <span>Stop at<small>One text a line; \n stands for the end of a line</small></span>
      <textarea
        class="field" rows={2} value={text}
        onInput={(event) => {
          const text = event.currentTarget.value;
          setText(text);
          const stop = text.split("\n").filter(Boolean).map((line) => line.replaceAll("\\n", "\n"));
          set(({ sampling: { stop: _, ...others } }) => ({ sampling: stop.length ? { ...others, stop } : others }));
        }}
      />
    </label>
  );
}

function shownAs(stop: string): string {
  return stop.replaceAll("\n", "\\n");
}
