// What a model thinks before it answers, between `<think>` and `</think>`.

export interface Parts {
  thought: string;
  answer: string;
  /** Whether it still thinks. */
  open: boolean;
}

const OPEN = "<think>";
const CLOSE = "</think>";

/** Tells the thought from the answer, in a text that may still come. Only a thought that comes first is one. */
export function parts(text: string): Parts {
  const start = text.trimStart();
  if (!start.startsWith(OPEN)) return { thought: "", answer: text, open: false };
  const rest = start.slice(OPEN.length);
  const end = rest.indexOf(CLOSE);
  if (end < 0) return { thought: rest.trim(), answer: "", open: true };
  return { thought: rest.slice(0, end).trim(), answer: rest.slice(end + CLOSE.length).trimStart(), open: false };
}
