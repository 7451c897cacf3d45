// The messages of a chat, from the first to the last.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { useCell } from "../cell.ts";
import { path } from "../chat/tree.ts";
import { current } from "../state/chats.ts";
import { asked, models, trouble } from "../state/models.ts";
import { dialog } from "../state/route.ts";
import { coming } from "../state/talk.ts";
import { Icon } from "./icons.tsx";
import { Message } from "./message.tsx";
import { Mark } from "./sidebar.tsx";

/** So near to the end the view goes along with what comes. */
const NEAR = 80;

export function Conversation() {
  const chat = useCell(current);
  const busy = useCell(coming).has(chat.id);
  const way = path(chat);
  const box = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const [away, setAway] = useState(false);

  // A chat is opened at its end, and whoever sends something wants to see what comes.
  const count = way.length;
  useLayoutEffect(() => {
    follows.current = true;
    setAway(false);
    toEnd(box.current);
  }, [chat.id, count]);
  useLayoutEffect(() => {
    if (follows.current) toEnd(box.current);
  });

  const look = (): void => {
    const element = box.current;
    if (!element) return;
    const far = element.scrollHeight - element.scrollTop - element.clientHeight > NEAR;
    follows.current = !far;
    setAway(far);
  };
  return (
    <div class="conversation" ref={box} onScroll={look} tabIndex={way.length ? 0 : undefined} role="region" aria-label="Messages">
      {way.length === 0 ? (
        <Empty />
      ) : (
        <div class="messages">
          {way.map((node) => (
            <Message key={node.id} chat={chat} node={node} busy={busy} />
          ))}
        </div>
      )}
      {away && way.length > 0 && (
        <button
          type="button" class="to-end" aria-label="To the end of the chat"
          onClick={() => {
            follows.current = true;
            toEnd(box.current);
          }}
        >
          <Icon name="down" />
        </button>
      )}
    </div>
  );
}

function toEnd(element: HTMLElement | null): void {
  if (element) element.scrollTop = element.scrollHeight;
}

/** What a chat says before it has begun. */
function Empty() {
  const list = useCell(models);
  const problem = useCell(trouble);
  const known = useCell(asked);
  return (
    <div class="empty">
      <Mark />
      <p class="hello">What would you like to know?</p>
      {problem ? (
        <p class="trouble" role="alert">{problem}</p>
      ) : known && list.length === 0 ? (
        <>
          <p>There is no model on this machine yet.</p>
          <button type="button" class="button primary" onClick={() => (dialog.value = "models")}>Get a model</button>
        </>
      ) : (
        <p>The model runs on your server. What you write goes there and nowhere else.</p>
      )}
    </div>
  );
}
