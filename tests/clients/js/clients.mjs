// Asks a server with the clients of JavaScript. Arguments: address, model, and an embedder if there is one.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { InferenceClient } from "@huggingface/inference";
import { ChatOllama } from "@langchain/ollama";
import { ChatOpenAI } from "@langchain/openai";
import { embedMany, generateText, streamText } from "ai";
import { Ollama } from "ollama";
import { createOllama } from "ollama-ai-provider-v2";
import OpenAI from "openai";

const [address, model, embedder] = process.argv.slice(2);
const text = "What is the capital of France? One sentence.";
const messages = [{ role: "user", content: text }];

function check(what, holds, shown) {
  if (!holds) {
    console.error(`FAILED ${what}:`, shown);
    process.exit(1);
  }
  console.log(`ok ${what}`);
}

async function joined(stream, read) {
  let whole = "";
  for await (const piece of stream) whole += read(piece) ?? "";
  return whole;
}

const ollama = new Ollama({ host: address });
const options = { temperature: 0, num_predict: 24 };
const wanted = (await ollama.chat({ model, messages, options })).message.content;
check("ollama.js chat", wanted);
const lines = await ollama.chat({ model, messages, options, stream: true });
check("ollama.js stream", (await joined(lines, (piece) => piece.message.content)) === wanted);
check("ollama.js list", Array.isArray((await ollama.list()).models));
check("ollama.js show", (await ollama.show({ model })).capabilities.includes("completion"));
check("ollama.js ps", (await ollama.ps()).models.length > 0);
const missing = await ollama.chat({ model: "org/none-such", messages }).catch((error) => error);
check("ollama.js error", missing.status_code === 404, missing);

const openai = new OpenAI({ baseURL: `${address}/v1`, apiKey: "any", maxRetries: 0 });
const common = { model, messages, temperature: 0, max_completion_tokens: 24 };
const whole = await openai.chat.completions.create(common);
check("openai.js chat", whole.choices[0].message.content === wanted, whole);
const chunks = await openai.chat.completions.create({ ...common, stream: true });
check("openai.js stream", (await joined(chunks, (chunk) => chunk.choices[0]?.delta.content)) === wanted);
const answered = await openai.responses.create({ model, input: text, temperature: 0, max_output_tokens: 24, store: false });
check("openai.js response", answered.output_text === wanted, answered);
const gone = await openai.chat.completions.create({ ...common, model: "org/none-such" }).catch((error) => error);
check("openai.js error", gone instanceof OpenAI.NotFoundError, gone);

const compatible = createOpenAICompatible({ name: "scaffold", baseURL: `${address}/v1`, apiKey: "any", includeUsage: true });
const provided = createOllama({ baseURL: `${address}/api` });
for (const [name, chosen] of [["@ai-sdk/openai-compatible", compatible(model)], ["ollama-ai-provider-v2", provided(model)]]) {
  // The provider for Ollama sends temperatures where Ollama does not read them.
  const providerOptions = { ollama: { options } };
  const asked = { model: chosen, prompt: text, temperature: 0, maxOutputTokens: 24, maxRetries: 0, providerOptions };
  const said = await generateText(asked);
  check(`${name} generateText`, said.text === wanted, said.text);
  check(`${name} usage`, said.usage.outputTokens > 0, said.usage);
  const streamed = streamText(asked);
  check(`${name} streamText`, (await joined(streamed.textStream, (piece) => piece)) === wanted);
}

const inference = new InferenceClient("any", { endpointUrl: `${address}/v1/chat/completions` });
const inferred = await inference.chatCompletion({ model, messages, temperature: 0, max_tokens: 24 });
check("@huggingface/inference", inferred.choices[0].message.content === wanted, inferred);

const chain = new ChatOllama({ baseUrl: address, model, temperature: 0, numPredict: 24 });
check("@langchain/ollama", (await chain.invoke(text)).content === wanted);
const other = new ChatOpenAI({ configuration: { baseURL: `${address}/v1` }, apiKey: "any", model, temperature: 0, maxTokens: 24 });
check("@langchain/openai", (await other.invoke(text)).content === wanted);

if (embedder) {
  const values = ["A red house.", "The river is long."];
  const ours = (await ollama.embed({ model: embedder, input: values })).embeddings;
  const theirs = (await openai.embeddings.create({ model: embedder, input: values })).data.map((one) => one.embedding);
  const third = (await embedMany({ model: compatible.textEmbeddingModel(embedder), values })).embeddings;
  const near = (one, two) => one.every((row, i) => row.every((value, j) => Math.abs(value - two[i][j]) < 1e-6));
  check("embeddings of JavaScript's clients", near(ours, theirs) && near(ours, third));
}
