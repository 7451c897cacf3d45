// The chats of this browser, and the ways to everything else.

import { useCell } from "../cell.ts";
import type { Head } from "../chat/types.ts";
import { current, heads } from "../state/chats.ts";
import { dialog, newChat, TO_METRICS, toChat, view } from "../state/route.ts";
import { theme, type Theme } from "../state/settings.ts";
import { coming } from "../state/talk.ts";
import { ageOf } from "./format.ts";
import { Icon, type IconName } from "./icons.tsx";

export function Sidebar() {
  const all = useCell(heads);
  const { id } = useCell(current);
  const at = useCell(view);
  const busy = useCell(coming);
  const groups = new Map<string, Head[]>();
  for (const head of all) {
    const age = ageOf(head.changed);
    groups.set(age, [...(groups.get(age) ?? []), head]);
  }
  return (
    <nav class="sidebar" aria-label="Chats and more">
      <div class="brand"><Mark />Scaffold</div>
      <button
        type="button" class="button wide"
        onClick={() => {
          dialog.value = null;
          newChat();
        }}
      >
        <Icon name="plus" />New chat
      </button>
      <section class="chats" aria-label="Chats">
        {all.length === 0 && <p class="quiet">Chats are kept in this browser, and nowhere else.</p>}
        {[...groups].map(([age, group]) => (
          <section key={age}>
            <h2>{age}</h2>
            <ul>
              {group.map((head) => (
                <li key={head.id}>
                  <a
                    href={toChat(head.id)} aria-current={at === "chat" && head.id === id ? "page" : undefined}
                    onClick={() => (dialog.value = null)}
                  >
                    <span>{head.title}</span>
                    {busy.has(head.id) && <i class="busy" role="img" aria-label="answering" />}
                  </a>
                </li>
              ))}
            </ul>
          </section>
        ))}
      </section>
      <div class="places">
        <a href={TO_METRICS} aria-current={at === "metrics" ? "page" : undefined} onClick={() => (dialog.value = null)}>
          <Icon name="chart" />Metrics
        </a>
        <button type="button" onClick={() => (dialog.value = "key")}><Icon name="key" />API key</button>
        <button type="button" onClick={() => (dialog.value = "help")}><Icon name="help" />Help</button>
        <ThemeSwitch />
      </div>
    </nav>
  );
}

/** The mark of the page: a scaffold. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
      <path d="M5 3v18M19 3v18M5 8h14M5 16h14M5 16L19 8" />
    </svg>
  );
}

const THEMES: [Theme, string, IconName][] = [
  ["system", "As the system", "half"],
  ["light", "Light", "sun"],
  ["dark", "Dark", "moon"],
];

function ThemeSwitch() {
  const now = useCell(theme);
  return (
    <fieldset class="themes">
      <legend class="away">Colours</legend>
      {THEMES.map(([value, label, icon]) => (
        <label key={value} title={label}>
          <input type="radio" name="theme" checked={now === value} onChange={() => (theme.value = value)} />
          <Icon name={icon} />
          <span class="away">{label}</span>
        </label>
      ))}
    </fieldset>
  );
}
