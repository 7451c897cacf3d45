// The API key of servers that ask for one.

import { useState } from "preact/hooks";
import { apiKey, keyWanted, setKey } from "../api/http.ts";
import { useCell } from "../cell.ts";
import { refresh } from "../state/models.ts";
import { Dialog, onEnter } from "./parts.tsx";

export function KeyDialog({ onClose }: { onClose: () => void }) {
  const [key, setText] = useState(apiKey.value);
  const wanted = useCell(keyWanted);
  const keep = (value: string): void => {
    setKey(value);
    onClose();
    void refresh();
  };
  return (
    <Dialog title="API key" class="key" onClose={onClose}>
      {wanted && <p class="trouble" role="alert">{wanted}</p>}
      <label class="stack">
        <span>Key<small>It is sent with each request and forgotten when this tab is closed.</small></span>
        <input
          class="field" type="password" value={key} autocomplete="off" autofocus onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={onEnter(() => keep(key))}
        />
      </label>
      <div class="row end">
        <button type="button" class="button" disabled={!apiKey.value} onClick={() => keep("")}>Forget it</button>
        <button type="button" class="button primary" onClick={() => keep(key)}>Use it</button>
      </div>
    </Dialog>
  );
}
