// An answer of the server while it comes.

import type { Sampling, Scored } from "../chat/types.ts";
import { call, Refusal, wordsIn } from "./http.ts";
import { events } from "./lines.ts";

export interface Said {
  role: "system" | "user" | "assistant";
  content: string;
}

export interface Question {
  model: string;
  messages: Said[];
  sampling: Sampling;
  scores: boolean;
}

/** A piece of an answer: what came since the piece before. */
export interface Piece {
  text?: string;
  thought?: string;
  scored?: Scored[];
  finish?: string;
  usage?: { prompt?: number; cached?: number; completion?: number };
}

/** How many alternatives to each token are asked for. */
const ALTERNATIVES = 5;

/** The body of the request, which has no field that was not set. */
export function bodyOf({ model, messages, sampling, scores }: Question): Record<string, unknown> {
  const { stop, ...numbers } = sampling;
  return {
    model,
    messages,
    stream: true,
    stream_options: { include_usage: true },
    ...numbers,
    ...(stop?.length ? { stop } : {}),
    ...(scores ? { logprobs: true, top_logprobs: ALTERNATIVES } : {}),
  };
}

interface Chunk {
  error?: unknown;
  choices?: {
    delta?: { content?: string | null; reasoning?: string | null; reasoning_content?: string | null };
    logprobs?: { content?: { token: string; logprob: number; top_logprobs?: Scored["top"] }[] | null } | null;
    finish_reason?: string | null;
  }[];
  usage?: {
    prompt_tokens?: number;
    completion_tokens?: number;
    prompt_tokens_details?: { cached_tokens?: number } | null;
  } | null;
}

/** Asks, and gives the pieces as they come. An error of the server in the middle of them is thrown as a `Refusal`. */
export async function* answer(question: Question, signal: AbortSignal): AsyncGenerator<Piece> {
  const response = await call("/v1/chat/completions", { body: bodyOf(question), signal });
  if (!response.body) throw new Refusal("The server sent an answer without a body.", response.status);
  let ended = false;
  for await (const data of events(response.body)) {
    if (data === "[DONE]") return;
    let chunk: Chunk;
    try {
      chunk = JSON.parse(data) as Chunk;
    } catch {
      throw new Refusal(`The server sent a line that is not JSON: ${data.slice(0, 200)}`, response.status);
    }
    if (chunk.error !== undefined && chunk.error !== null) {
      throw new Refusal(wordsIn(chunk) ?? "The server broke the answer off.", response.status);
    }
    const piece = pieceOf(chunk);
    ended ||= piece.finish !== undefined;
    yield piece;
  }
  if (!ended) {
    throw new Refusal("The connection ended before the answer did: the server may have been stopped. Try again.", response.status);
  }
}

function pieceOf({ choices, usage }: Chunk): Piece {
  const piece: Piece = {};
  const choice = choices?.[0];
  if (choice?.delta?.content) piece.text = choice.delta.content;
  const thought = choice?.delta?.reasoning_content ?? choice?.delta?.reasoning;
  if (thought) piece.thought = thought;
  if (choice?.finish_reason) piece.finish = choice.finish_reason;
  const scored = choice?.logprobs?.content;
  if (scored?.length) {
    piece.scored = scored.map(({ token, logprob, top_logprobs }) => ({
      token,
      logprob,
      top: (top_logprobs ?? []).map(({ token, logprob }) => ({ token, logprob })),
    }));
  }
  if (usage) {
    piece.usage = {};
    if (usage.prompt_tokens !== undefined) piece.usage.prompt = usage.prompt_tokens;
    if (usage.completion_tokens !== undefined) piece.usage.completion = usage.completion_tokens;
    const cached = usage.prompt_tokens_details?.cached_tokens;
    if (cached !== undefined) piece.usage.cached = cached;
  }
  return piece;
}
