// What a chat is.

/** How answers are chosen. What is not given is left to the server. */
export interface Sampling {
  temperature?: number;
  top_p?: number;
  top_k?: number;
  max_tokens?: number;
  seed?: number;
  stop?: string[];
}

/** A token of an answer with how likely it was, and what else could have stood there. */
export interface Scored {
  token: string;
  logprob: number;
  top: { token: string; logprob: number }[];
}

/** How fast an answer came. */
export interface Speed {
  /** Milliseconds from sending to the first of the answer. */
  first?: number;
  /** Milliseconds from the first of the answer to the last. */
  rest?: number;
  promptTokens?: number;
  cachedTokens?: number;
  tokens?: number;
}

export type Role = "user" | "assistant";

/** How far an answer is. */
export type Progress = "waiting" | "coming" | "done" | "stopped" | "failed";

/** A message. Those that answer the same one are alternatives to each other. */
export interface Node {
  id: string;
  parent: string | null;
  role: Role;
  text: string;
  at: number;
  model?: string;
  progress?: Progress;
  /** What a model thought before it answered, where the server tells it apart. */
  thought?: string;
  error?: string;
  /** Why the answer ended, in the server's word. */
  finish?: string;
  speed?: Speed;
  scored?: Scored[];
}

export interface Chat {
  id: string;
  title: string;
  /** Whether a person gave it its title. */
  named: boolean;
  created: number;
  changed: number;
  model: string;
  system: string;
  sampling: Sampling;
  /** Whether answers come with how likely each token was. */
  scores: boolean;
  /** All messages, the oldest first. */
  nodes: Node[];
  /** The last message of the way that is shown. */
  leaf: string | null;
}

/** What the list of chats shows. */
export interface Head {
  id: string;
  title: string;
  changed: number;
}
