// The keys, and what the page is made of.

import { names } from "./keys.ts";
import { Dialog } from "./parts.tsx";

const KEYS: [string, string][] = [
  ["Enter", "Send the message"],
  ["Shift + Enter", "Begin a line"],
  ["Escape", "Stop the answer; close what is open"],
  [names.newChat, "New chat"],
  [names.message, "To the message"],
  [names.models, "Choose a model"],
  [names.settings, "Settings of the chat"],
  [names.prompt, "The prompt as the model sees it"],
  [names.metrics, "Metrics, and back"],
  [`${names.before}, Down`, "The chat before, the one after"],
  [names.help, "This help"],
];

export function HelpDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Help" class="help" onClose={onClose}>
      <h3>Keys</h3>
      <dl class="keys">
        {KEYS.map(([key, what]) => (
          <div key={key}>
            <dt><kbd>{key}</kbd></dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <h3>What is kept where</h3>
      <p>
        Chats and settings stay in this browser; nobody else sees them. An API key is forgotten when the tab is closed. Messages go to
        the server that sent this page, and to no other.
      </p>
      <p class="quiet">
        This page is made with other people’s work: <a href="/page/NOTICE.txt" target="_blank" rel="noopener">their licences</a>.
      </p>
    </Dialog>
  );
}
