// Which model answers: those of the server with how far each is, and how to get another.

import { useEffect, useState } from "preact/hooks";
import type { Model } from "../api/models.ts";
import { useCell } from "../cell.ts";
import { current } from "../state/chats.ts";
import { download, get, learnNames, names } from "../state/download.ts";
import { asked, choose, chosen, closely, free, models, refresh, trouble } from "../state/models.ts";
import { bytes, percent } from "./format.ts";
import { Icon } from "./icons.tsx";
import { Dialog, IconButton, onEnter } from "./parts.tsx";

export function ModelsDialog({ onClose }: { onClose: () => void }) {
  const list = useCell(models);
  const known = useCell(asked);
  const problem = useCell(trouble);
  const name = chosen(useCell(current).model, list);
  const [filter, setFilter] = useState("");
  useEffect(() => {
    void refresh();
    return closely();
  }, []);
  const wanted = filter.trim().toLowerCase();
  const found = list.filter((model) => model.name.toLowerCase().includes(wanted));
  return (
    <Dialog title="Choose a model" class="models" onClose={onClose}>
      {problem && <p class="trouble" role="alert">{problem}</p>}
      {list.length > 6 && (
        <input
          class="field" type="search" placeholder="Find" aria-label="Find a model" value={filter}
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
      )}
      <ul class="model-list" aria-label="Models of the server">
        {found.map((model) => (
          <Entry key={model.name} model={model} chosen={model.name === name.replace(/:latest$/, "")} onClose={onClose} />
        ))}
      </ul>
      {known && list.length === 0 && !problem && <p class="quiet">There is no model on this machine yet. Get one here:</p>}
      {wanted && found.length === 0 && <p class="quiet">No model of the server has this in its name.</p>}
      <Getter />
    </Dialog>
  );
}

const ON_ITS_WAY: Record<string, string> = { fetching: "being fetched", waiting: "waiting for room", draining: "leaving memory" };

function stateOf({ stage, word, part, expires, why }: Model): string {
  if (stage === "loading") return (ON_ITS_WAY[word ?? ""] ?? "loading") + (part === undefined ? "" : `, ${percent(part)}`);
  if (stage === "failed") return why ?? "could not be loaded";
  if (stage === "disk") return "on the disk";
  const minutes = expires ? Math.round((Date.parse(expires) - Date.now()) / 60_000) : NaN;
  return minutes > 0 && minutes < 60 * 24 ? `in memory, ${minutes} min more if unused` : "in memory";
}

function Entry({ model, chosen, onClose }: { model: Model; chosen: boolean; onClose: () => void }) {
  const facts = [model.about, model.size === undefined ? undefined : bytes(model.size), stateOf(model)].filter(Boolean).join(" · ");
  return (
    <li>
      <button
        type="button" class="model-entry" aria-pressed={chosen} autofocus={chosen}
        onClick={() => {
          choose(model.name);
          onClose();
        }}
      >
        <i class={`state ${model.stage}`} aria-hidden="true" />
        <span class="model-words">
          <span class="name">{model.name}</span>
          <small>{facts}</small>
          {model.stage === "loading" && model.part !== undefined && <progress value={model.part} aria-label="Loaded" />}
        </span>
        {chosen && <Icon name="check" />}
      </button>
      {model.stage === "loaded" && (
        <IconButton icon="eject" label={`Take ${model.name} out of memory`} onClick={() => void free(model.name)} />
      )}
    </li>
  );
}

/** A name, and a download that tells how far it is. */
function Getter() {
  const [name, setName] = useState("");
  const known = useCell(names);
  const list = useCell(models);
  useEffect(() => void learnNames(), []);
  const now = useCell(download);
  const comes = now !== null && now.error === undefined;
  const part = now?.total ? (now.completed ?? 0) / now.total : undefined;
  const start = (): void => {
    if (name.trim() && !comes) void get(name.trim());
  };
  if (known?.may_fetch === false) {
    return <p class="quiet">This server fetches no models for others: on its machine, `scaffold pull NAME` does.</p>;
  }
  const absent = known?.models.filter(({ repo }) => !list.some((model) => model.name === repo || model.name.startsWith(`${repo}:`))) ?? [];
  return (
    <section class="getter" aria-labelledby="getter-title">
      <h3 id="getter-title">Get another model</h3>
      <div class="row">
        <input
          class="field" type="text" value={name} placeholder="For example llama3.2:1b, or org/name" aria-label="Name of the model"
          autocomplete="off" autocapitalize="off" spellcheck={false} onInput={(event) => setName(event.currentTarget.value)}
          onKeyDown={onEnter(start)}
        />
        {comes ? (
          <button type="button" class="button" onClick={now.stop}>Stop</button>
        ) : (
          <button type="button" class="button primary" disabled={!name.trim()} onClick={start}>Get</button>
        )}
      </div>
      {comes && (
        <div class="pulling" role="status">
          <progress value={part} aria-label="Downloaded" />
          <small>
            {now.status}
            {now.total ? ` · ${bytes(now.completed ?? 0)} of ${bytes(now.total)}` : ""}
          </small>
        </div>
      )}
      {now?.error && <p class="trouble" role="alert">{now.error}</p>}
      {absent.length > 0 && (
        <details class="known">
          <summary>Well-known models</summary>
          <ul>
            {absent.map((model) => (
              <li key={model.name}>
                <span class="model-words">
                  <span class="name">{model.name}</span>
                  <small>{model.parameters} · {model.licence}{model.gated ? " · needs an account that accepted its terms" : ""}</small>
                </span>
                <IconButton icon="download" label={`Get ${model.name}`} disabled={comes} onClick={() => void get(model.name)} />
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}
