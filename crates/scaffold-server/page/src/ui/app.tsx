// The whole page.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { keyWanted } from "../api/http.ts";
import { useCell } from "../cell.ts";
import { Metrics } from "../metrics/view.tsx";
import { notice, spoken } from "../state/notices.ts";
import { dialog, view } from "../state/route.ts";
import { panel } from "../state/settings.ts";
import { Composer } from "./composer.tsx";
import { Conversation } from "./conversation.tsx";
import { HelpDialog } from "./help.tsx";
import { KeyDialog } from "./key.tsx";
import { ModelsDialog } from "./models.tsx";
import { Dialog } from "./parts.tsx";
import { PromptDialog } from "./prompt.tsx";
import { RenameDialog } from "./rename.tsx";
import { Settings } from "./settings.tsx";
import { Sidebar } from "./sidebar.tsx";
import { Top } from "./top.tsx";

/** Whether the window is so wide. */
export function useWide(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const look = (): void => setMatches(media.matches);
    media.addEventListener("change", look);
    look();
    return () => media.removeEventListener("change", look);
  }, [query]);
  return matches;
}

const close = (): void => void (dialog.value = null);

export function App() {
  const at = useCell(view);
  const wide = useWide("(min-width: 60rem)");
  const roomy = useWide("(min-width: 75rem)");
  const beside = useCell(panel) && roomy && at === "chat";
  const open = useCell(dialog);
  const wanted = useCell(keyWanted);
  return (
    <div class={`app ${beside ? "with-panel" : ""}`}>
      <a class="skip" href="#main" onClick={skip}>{at === "chat" ? "To the message" : "To the metrics"}</a>
      {wide && <Sidebar />}
      <div class="main">
        <Top wide={wide} roomy={roomy} />
        {at === "metrics" ? (
          <Metrics />
        ) : (
          <main class="chat" id="main" aria-label="Chat">
            <Conversation />
            <Composer />
          </main>
        )}
      </div>
      {beside && (
        <aside class="panel" aria-label="Settings of this chat">
          <Settings />
        </aside>
      )}
      {open === "chats" && !wide && (
        <Dialog title="Chats" class="drawer left" onClose={close}>
          <Sidebar />
        </Dialog>
      )}
      {open === "settings" && (
        <Dialog title="Settings of this chat" class="drawer right" onClose={close}>
          <Settings />
        </Dialog>
      )}
      {open === "models" && <ModelsDialog onClose={close} />}
      {open === "prompt" && <PromptDialog onClose={close} />}
      {open === "help" && <HelpDialog onClose={close} />}
      {open === "rename" && <RenameDialog onClose={close} />}
      {(open === "key" || wanted !== null) && (
        <KeyDialog
          onClose={() => {
            close();
            keyWanted.value = null;
          }}
        />
      )}
      <Notices />
    </div>
  );
}

function skip(event: Event): void {
  event.preventDefault();
  (document.getElementById("message") ?? document.getElementById("main"))?.focus();
}

function Notices() {
  const shown = useCell(notice);
  const said = useCell(spoken);
  const box = useRef<HTMLDivElement>(null);
  // A dialog lies over all but what is shown after it.
  useLayoutEffect(() => {
    if (!shown) return;
    box.current?.showPopover?.();
    return () => box.current?.hidePopover?.();
  }, [shown]);
  return (
    <>
      <div class="notices" ref={box} popover="manual">
        {shown && (
          <div class="notice">
            <span>{shown.text}</span>
            {shown.action && (
              <button
                type="button" class="button"
                onClick={() => {
                  shown.action?.act();
                  notice.value = null;
                }}
              >
                {shown.action.label}
              </button>
            )}
          </div>
        )}
      </div>
      <div class="away" aria-live="polite">{said}</div>
    </>
  );
}
