// A server that answers as ours does, without a model: for tests of the page, and for work on it.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { answerTo } from "./answers.mjs";
import { policy } from "./csp.mjs";

const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));
const TYPES = { js: "text/javascript", css: "text/css", svg: "image/svg+xml", html: "text/html", txt: "text/plain" };

const sleep = (time) => new Promise((resolve) => setTimeout(resolve, time));

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString() || "{}");
}

function send(response, status, value, headers = {}) {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...headers });
  response.end(JSON.stringify(value));
}

const error = (message, type = "invalid_request_error") => ({ error: { message, type, code: null, param: null } });

/** Starts one; `key` is what it demands, `pace` the milliseconds between two tokens. */
export async function start({ port = 0, key = null, pace = 4 } = {}) {
  const state = { models: new Map(), requests: [], hungUp: 0, tokens: 0, prompts: 0, running: 0, pace };
  state.models.set("starter", { size: 98_000_000, parameters: "134.52M", quantization: "Q4_1", loaded: true });
  state.models.set("acme/Loud-7B-Instruct", { size: 4_700_000_000, parameters: "7.24B", quantization: "Q4_K", loaded: false });
  state.models.set("acme/Quiet-1B", { size: 1_100_000_000, parameters: "1.10B", quantization: "F16", loaded: false, progress: 0.43 });
  const csp = await policy();
  const server = createServer((request, response) => void handle(request, response).catch((fault) => {
    if (!response.headersSent) send(response, 500, error(String(fault)));
    else response.destroy();
  }));

  async function file(name, response) {
    const kind = name.split(".").at(-1);
    const bytes = await readFile(DIST + name);
    response.writeHead(200, { "content-type": `${TYPES[kind]}; charset=utf-8`, "content-security-policy": csp, "x-content-type-options": "nosniff" });
    response.end(bytes);
  }

  async function handle(request, response) {
    const { pathname: path } = new URL(request.url, "http://mock");
    if (path === "/" && request.headers.accept?.includes("text/html")) return file("index.html", response);
    if (path === "/") return void response.end("Ollama is running");
    if (path.startsWith("/page/")) return file(path.slice("/page/".length).replace(/\.[0-9a-f]{16}\./, "."), response);
    if (key !== null && request.headers.authorization !== `Bearer ${key}`) {
      return send(response, 401, error("an API key is needed: send it as `Authorization: Bearer KEY`", "authentication_error"));
    }
    const body = request.method === "POST" ? await bodyOf(request) : undefined;
    if (body) state.requests.push({ path, body });
    const answer = ENDPOINTS[path];
    if (!answer) return send(response, 404, error(`there is nothing at ${path}`));
    return answer({ body, response, state });
  }

  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, state, close: () => new Promise((done) => (server.close(() => done()), server.closeAllConnections())) };
}

const listed = ([name, { size, parameters, quantization }]) => ({
  name: `${name}:latest`, model: `${name}:latest`, size, details: { parameter_size: parameters, quantization_level: quantization },
});

const ENDPOINTS = {
  "/api/tags": ({ response, state }) => send(response, 200, { models: [...state.models].map(listed) }),
  "/api/ps": ({ response, state }) => {
    const expires_at = new Date(Date.now() + 280_000).toISOString();
    send(response, 200, { models: [...state.models].filter(([, { loaded }]) => loaded).map((entry) => ({ ...listed(entry), expires_at })) });
  },
  "/stages": ({ response, state }) => {
    const models = [...state.models].flatMap(([name, { loaded, progress, size }]) => {
      if (loaded) return [{ name, names: [name], stage: "ready" }];
      return progress === undefined ? [] : [{ name: `full/${name}`, names: [name], stage: "loading", bytes: progress * size, of: size }];
    });
    send(response, 200, { models });
  },
  "/names": ({ response }) => send(response, 200, {
    may_fetch: true,
    models: [
      { name: "starter", repo: "starter", parameters: "135M", licence: "Apache-2.0", gated: false },
      { name: "tinyllama", repo: "TinyLlama/TinyLlama-1.1B-Chat-v1.0", parameters: "1.1B", licence: "Apache-2.0", gated: false },
      { name: "llama3.2:1b", repo: "meta-llama/Llama-3.2-1B-Instruct", parameters: "1.2B", licence: "llama3.2", gated: true },
    ],
  }),
  "/v1/models": ({ response, state }) => send(response, 200, { object: "list", data: [...state.models.keys()].map((id) => ({ id, object: "model" })) }),
  "/v1/chat/completions": chat,
  "/render": ({ body, response }) => {
    const prompt = promptOf(body);
    send(response, 200, { prompt, count: piecesOf(prompt).length });
  },
  "/tokenize": ({ body, response }) => {
    const pieces = piecesOf(promptOf(body));
    send(response, 200, { tokens: pieces.map((_, index) => 100 + index * 7), count: pieces.length, pieces });
  },
  "/api/pull": async ({ body, response, state }) => {
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    if (/missing/.test(body.model)) return void response.end(`${JSON.stringify({ error: `there is no model ${body.model} on the Hub` })}\n`);
    for (let part = 0; part <= 10; part += 1) {
      response.write(`${JSON.stringify({ status: "pulling model.gguf", completed: part * 1e8, total: 1e9 })}\n`);
      await sleep(state.pace * 10);
    }
    state.models.set(body.model === "tinyllama" ? "TinyLlama/TinyLlama-1.1B-Chat-v1.0" : body.model, { size: 1e9, parameters: "1B", quantization: "Q8_0", loaded: false });
    response.end('{"status":"success"}\n');
  },
  "/api/generate": ({ body, response, state }) => {
    const model = state.models.get(body.model);
    if (model && body.keep_alive === 0) model.loaded = false;
    send(response, 200, { done: true });
  },
  "/metrics": ({ response, state }) => {
    response.writeHead(200, { "content-type": "text/plain; version=0.0.4" });
    response.end(metrics(state));
  },
};

const promptOf = ({ messages }) => messages.map(({ role, content }) => `<|im_start|>${role}\n${content}<|im_end|>\n`).join("") + "<|im_start|>assistant\n";
const piecesOf = (prompt) => prompt.match(/<\|\w+\|>|\s*\S+?(?=<|\s|$)|\s/g) ?? [];

async function chat({ body, response, state }) {
  const text = body.messages.at(-1).content;
  if (/busy/i.test(text)) return send(response, 429, error("too many requests wait: 64 of 64", "rate_limit_error"), { "retry-after": "3" });
  if (!state.models.has(body.model)) return send(response, 404, error(`model '${body.model}' not found, try pulling it first`));
  const words = answerTo(text).match(/\s*\S+/g) ?? [];
  const tokens = words.slice(0, body.max_tokens ?? Infinity);
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  const event = (value) => response.write(`data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`);
  let gone = false;
  response.on("close", () => {
    if (!response.writableEnded) state.hungUp += 1;
    gone = true;
  });
  state.running += 1;
  const chunk = (delta, more = {}) => ({ id: "c", object: "chat.completion.chunk", model: body.model, choices: [{ index: 0, delta, finish_reason: null, ...more }] });
  response.write(": still here\n\n");
  event(chunk({ role: "assistant", content: "" }));
  await sleep(state.pace * 10);
  if (/ponder/i.test(text)) event(chunk({ reasoning_content: "Rivers first, then seas." }));
  for (const [index, token] of tokens.entries()) {
    if (gone) break;
    if (/broken/i.test(text) && index === 5) {
      event({ error: { message: "the model's file became shorter while it was in use", type: "api_error" } });
      break;
    }
    const likely = [0.98, 0.75, 0.45, 0.2, 0.06, 0.01][index % 6];
    const scored = { token, logprob: Math.log(likely), top_logprobs: [{ token, logprob: Math.log(likely) }, { token: " other", logprob: Math.log(0.01) }] };
    event(chunk({ content: token }, body.logprobs ? { logprobs: { content: [scored] } } : {}));
    state.tokens += 1;
    await sleep(/slow/i.test(text) ? state.pace * 8 : state.pace);
  }
  state.running -= 1;
  state.prompts += 40;
  event(chunk({}, { finish_reason: tokens.length < words.length ? "length" : "stop" }));
  if (body.stream_options?.include_usage) {
    event({ choices: [], usage: { prompt_tokens: 40, completion_tokens: tokens.length, prompt_tokens_details: { cached_tokens: 12 } } });
  }
  event("[DONE]");
  response.end();
}

/** Numbers that move, as a server's do. */
function metrics(state) {
  const wave = 3 + Math.round(2 * Math.sin(Date.now() / 3000));
  state.clock = (state.clock ?? 0) + 20 + wave * 6;
  const histogram = (name, bounds) => bounds.map(([le, part]) => `${name}_bucket{model="starter",le="${le}"} ${Math.round(state.clock * part)}`).join("\n");
  return `# HELP scaffold_requests_running Requests that are being answered.
# TYPE scaffold_requests_running gauge
scaffold_requests_running{model="starter"} ${wave}
scaffold_requests_waiting{model="starter"} ${Math.max(0, wave - 3)}
scaffold_prompt_tokens_total{model="starter"} ${state.clock * 9}
scaffold_completion_tokens_total{model="starter"} ${state.clock}
${histogram("scaffold_first_token_seconds", [["0.05", 0.2], ["0.1", 0.6], ["0.2", 0.93], ["0.5", 1], ["+Inf", 1]])}
${histogram("scaffold_between_tokens_seconds", [["0.01", 0.3], ["0.02", 0.8], ["0.03", 0.97], ["0.05", 1], ["+Inf", 1]])}
scaffold_kv_blocks_held{model="starter"} ${wave * 37}
scaffold_kv_blocks{model="starter"} 512
scaffold_model_memory_bytes{model="starter"} 268435456
scaffold_model_memory_bytes{model="acme/Loud-7B-Instruct"} 5368709120
`;
}
