// Requests to the server that sent this page, and its words when it refuses.

import { Cell } from "../cell.ts";

const KEY = "scaffold.key";

/** The API key, kept until the tab is closed and no longer. */
export const apiKey = new Cell<string>(stored());

/** Whether the server has said that it wants another key than it got. */
export const keyWanted = new Cell<string | null>(null);

function stored(): string {
  try {
    return sessionStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}

export function setKey(key: string): void {
  apiKey.value = key.trim();
  keyWanted.value = null;
  try {
    if (apiKey.value) sessionStorage.setItem(KEY, apiKey.value);
    else sessionStorage.removeItem(KEY);
  } catch {
    // Without storage the key lasts as long as the page.
  }
}

/** What the server said instead of an answer. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly status: number,
    /** Seconds until another try makes sense, where the server says so. */
    readonly retryAfter?: number,
  ) {
    super(message);
  }
}

/** The server could not be reached at all. */
export class Unreachable extends Error {
  constructor() {
    super("The server does not answer. It may have been stopped, or the network is down: look whether `scaffold serve` still runs, then try again.");
  }
}

export interface Call {
  method?: string;
  body?: unknown;
  signal?: AbortSignal;
}

/**
 * Sends a request and gives the response back when it is a good one.
 *
 * Throws `Refusal` with the server's words for any other, `Unreachable` without a response, and the
 * signal's reason when it was aborted.
 */
export async function call(path: string, { method, body, signal }: Call = {}): Promise<Response> {
  const headers = new Headers();
  if (apiKey.value) headers.set("Authorization", `Bearer ${apiKey.value}`);
  if (body !== undefined) headers.set("Content-Type", "application/json");
  const init: RequestInit = { method: method ?? (body === undefined ? "GET" : "POST"), headers };
  if (body !== undefined) init.body = JSON.stringify(body);
  if (signal) init.signal = signal;
  let response: Response;
  try {
    response = await fetch(path, { ...init, cache: "no-store", credentials: "omit", redirect: "error" });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Unreachable();
  }
  if (response.ok) return response;
  const refusal = await refused(response);
  if (refusal.status === 401) keyWanted.value = refusal.message;
  throw refusal;
}

export async function json<T>(path: string, options?: Call): Promise<T> {
  return (await call(path, options)).json() as Promise<T>;
}

async function refused(response: Response): Promise<Refusal> {
  const text = await response.text().catch(() => "");
  const wait = Number(response.headers.get("Retry-After") ?? NaN);
  const words = wordsOf(text) || `The server answered ${response.status} ${response.statusText}`.trim() + ".";
  return new Refusal(words, response.status, Number.isFinite(wait) ? wait : undefined);
}

/** The sentence in an error of any of the server's APIs: an object's `error` or `message`, or plain text. */
export function wordsOf(text: string): string {
  try {
    return wordsIn(JSON.parse(text)) ?? text.trim();
  } catch {
    return text.trim().slice(0, 2000);
  }
}

/** The sentence in an error that was parsed already; `undefined` where there is none. */
export function wordsIn(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return undefined;
  const { error, message } = value as { error?: unknown; message?: unknown };
  return wordsIn(error) ?? (typeof message === "string" ? message : undefined);
}

/** An error in words for people. */
export function words(error: unknown): string {
  if (error instanceof Refusal && error.retryAfter !== undefined) {
    const seconds = error.retryAfter === 1 ? "a second" : `${error.retryAfter} seconds`;
    return `${error.message}\nThe server asks to wait for ${seconds} before another try.`;
  }
  return error instanceof Error ? error.message : String(error);
}
