// The bar over a view: which model, which chat, and what can be done with it.

import { useRef } from "preact/hooks";
import { useCell } from "../cell.ts";
import { download, exported, fileName, imported } from "../chat/exchange.ts";
import { words } from "../api/http.ts";
import { all, current, heads, remove, restore } from "../state/chats.ts";
import { chosen, models } from "../state/models.ts";
import { notify } from "../state/notices.ts";
import { dialog, newChat, view } from "../state/route.ts";
import { panel } from "../state/settings.ts";
import { stop } from "../state/talk.ts";
import { Icon } from "./icons.tsx";
import { names } from "./keys.ts";
import { IconButton, Menu } from "./parts.tsx";

export function Top({ wide, roomy }: { wide: boolean; roomy: boolean }) {
  const at = useCell(view);
  const chat = useCell(current);
  const beside = useCell(panel);
  return (
    <header class="top">
      {!wide && <IconButton icon="menu" label="Chats and more" onClick={() => (dialog.value = "chats")} />}
      {at === "metrics" ? (
        <h1>Metrics</h1>
      ) : (
        <>
          <ModelButton />
          <h1 class="title">{chat.title}</h1>
          <span class="row">
            {!wide && <IconButton icon="plus" label="New chat" onClick={newChat} />}
            <IconButton
              icon="sliders" label="Settings of this chat" keys={names.settings} expanded={roomy ? beside : undefined}
              onClick={toggleSettings}
            />
            <ChatMenu />
          </span>
        </>
      )}
    </header>
  );
}

/** Shows or hides the settings: beside the chat where there is room, else over it. */
export function toggleSettings(): void {
  if (matchMedia("(min-width: 75rem)").matches) panel.value = !panel.value;
  else dialog.value = dialog.value === "settings" ? null : "settings";
}

function ModelButton() {
  const list = useCell(models);
  const { model } = useCell(current);
  const name = chosen(model, list);
  const stage = list.find((other) => other.name === name.replace(/:latest$/, ""))?.stage;
  return (
    <button
      type="button" class="model-button" aria-haspopup="dialog" aria-keyshortcuts={names.models.replace(/ /g, "")}
      title={`${name}\nChoose a model (${names.models})`} onClick={() => (dialog.value = "models")}
    >
      <i class={`state ${stage ?? ""}`} aria-hidden="true" />
      <span class="away">Model: </span>
      <span class="name">{name.slice(name.lastIndexOf("/") + 1) || "Choose a model"}</span>
      <Icon name="down" />
    </button>
  );
}

function ChatMenu() {
  const chat = useCell(current);
  const some = useCell(heads).length > 0;
  const file = useRef<HTMLInputElement>(null);
  const kept = chat.nodes.length > 0;
  return (
    <>
      <Menu
        label="More for this chat"
        items={[
          { label: "Rename…", act: () => (dialog.value = "rename"), off: !kept },
          { label: "Show the prompt", act: () => (dialog.value = "prompt"), keys: names.prompt },
          { label: "Export this chat", act: () => download(fileName(chat.title), exported([chat])), off: !kept },
          { label: "Export all chats", act: () => void exportAll(), off: !some },
          { label: "Import chats…", act: () => file.current?.click() },
          { label: "Delete this chat", act: () => void (stop(chat.id), remove(chat.id)), danger: true, off: !kept },
        ]}
      />
      <input
        ref={file} type="file" accept="application/json,.json" hidden aria-label="File with chats"
        onChange={(event) => {
          void take(event.currentTarget.files?.[0]);
          event.currentTarget.value = "";
        }}
      />
    </>
  );
}

async function exportAll(): Promise<void> {
  download("scaffold-chats.json", exported(await all()));
}

async function take(file: File | undefined): Promise<void> {
  if (!file) return;
  try {
    const chats = imported(await file.text());
    await restore(chats);
    notify(chats.length === 1 ? "One chat was imported." : `${chats.length} chats were imported.`);
  } catch (error) {
    notify(words(error));
  }
}
