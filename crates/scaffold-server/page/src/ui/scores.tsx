// An answer token by token, coloured by how likely the model held each.

import { useId, useState } from "preact/hooks";
import type { Scored } from "../chat/types.ts";
import { percent } from "./format.ts";

/** From 0 for what was sure to 5 for what was a surprise. */
export function surprise(logprob: number): number {
  const likely = Math.exp(logprob);
  const step = [0.9, 0.6, 0.3, 0.1, 0.02].findIndex((bound) => likely >= bound);
  return step < 0 ? 5 : step;
}

/** A token with what cannot be seen made visible. */
function visible(token: string): string {
  return token.replace(/\n/g, "⏎").replace(/\t/g, "⇥").replace(/^ | $/g, "␣") || "∅";
}

export function Scores({ scored }: { scored: Scored[] }) {
  const [at, setAt] = useState<number | null>(null);
  const id = useId();
  const move = (event: KeyboardEvent): void => {
    const last = scored.length - 1;
    const from = at ?? -1;
    const to = { ArrowRight: from + 1, ArrowDown: from + 1, ArrowLeft: from - 1, ArrowUp: from - 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    setAt(Math.min(Math.max(to, 0), last));
  };
  const token = at === null ? undefined : scored[at];
  return (
    <div class="scores">
      <div
        class="scores-text" role="listbox" tabIndex={0} aria-label="Tokens of the answer" onKeyDown={move}
        aria-activedescendant={at === null ? undefined : `${id}-${at}`}
      >
        {scored.map(({ token, logprob }, index) => (
          <span
            key={index} id={`${id}-${index}`} role="option" aria-selected={index === at} class={`score score-${surprise(logprob)}`}
            onClick={() => setAt(index)} onPointerEnter={(event) => event.pointerType === "mouse" && setAt(index)}
            aria-label={`${visible(token)}, ${percent(Math.exp(logprob))}`}
          >
            {token}
          </span>
        ))}
      </div>
      <div class="scores-detail">
        {token ? <Detail {...token} /> : <p>Point at a token, or move with the arrow keys, to see what else could have stood there.</p>}
      </div>
    </div>
  );
}

function Detail({ token, logprob, top }: Scored) {
  const others = top.some((other) => other.token === token) ? top : [{ token, logprob }, ...top];
  return (
    <ul>
      {others.map((other, index) => (
        <li key={index} class={other.token === token ? "chosen" : ""}>
          <code>{visible(other.token)}</code>
          <span class="bar"><span style={{ width: `${Math.exp(other.logprob) * 100}%` }} /></span>
          <span class="number">{percent(Math.exp(other.logprob))}</span>
        </li>
      ))}
    </ul>
  );
}
