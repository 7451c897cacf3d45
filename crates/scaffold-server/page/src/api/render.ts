// The prompt as the model sees it.

import type { Said } from "./answer.ts";
import { json } from "./http.ts";

export interface Prompt {
  text: string;
  ids: number[];
  /** The text of each id, where the server gives it. */
  pieces?: string[];
}

interface Rendered {
  prompt: string;
}

interface Tokenized {
  tokens: number[];
  pieces?: string[];
}

export async function render(model: string, messages: Said[], signal?: AbortSignal): Promise<Prompt> {
  const ask = <T>(path: string, more: object = {}): Promise<T> => {
    const body = { model, messages, ...more };
    return json<T>(path, signal ? { body, signal } : { body });
  };
  const [{ prompt }, { tokens, pieces }] = await Promise.all([ask<Rendered>("/render"), ask<Tokenized>("/tokenize", { with_pieces: true })]);
  return pieces ? { text: prompt, ids: tokens, pieces } : { text: prompt, ids: tokens };
}
