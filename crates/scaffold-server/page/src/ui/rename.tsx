// Another title for a chat.

import { useState } from "preact/hooks";
import { change, current } from "../state/chats.ts";
import { Dialog, onEnter } from "./parts.tsx";

export function RenameDialog({ onClose }: { onClose: () => void }) {
  const [title, setTitle] = useState(current.value.title);
  const keep = (): void => {
    const given = title.trim();
    // Without a title, a chat is called by its first words again.
    change(current.value.id, (chat) => ({ ...chat, title: given, named: given !== "" }));
    onClose();
  };
  return (
    <Dialog title="Rename this chat" class="rename" onClose={onClose}>
      <label class="stack">
        <span>Title</span>
        <input
          class="field" type="text" value={title} maxLength={120} autofocus onInput={(event) => setTitle(event.currentTarget.value)}
          onFocus={(event) => event.currentTarget.select()} onKeyDown={onEnter(keep)}
        />
      </label>
      <div class="row end">
        <button type="button" class="button" onClick={onClose}>Cancel</button>
        <button type="button" class="button primary" onClick={keep}>Rename</button>
      </div>
    </Dialog>
  );
}
