// Structured output and the runner of tools of OpenAI's client for JavaScript, from a model that is noise. Arguments: address, model,
// rounds.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, jsonSchema, Output } from "ai";
import OpenAI from "openai";

const [address, model, rounds] = process.argv.slice(2);
const messages = [{ role: "user", content: "Tell me about somebody." }];
const schema = {
  type: "object",
  properties: {
    name: { type: "string", maxLength: 20 },
    age: { type: "integer", minimum: 0, maximum: 130 },
    colours: { type: "array", items: { enum: ["red", "green"] }, maxItems: 3 },
  },
  required: ["name", "age", "colours"],
  additionalProperties: false,
};

function check(what, holds, shown) {
  if (!holds) {
    console.error(`FAILED ${what}:`, shown);
    process.exit(1);
  }
}

function isPerson(it) {
  const colours = Array.isArray(it?.colours) && it.colours.every((one) => ["red", "green"].includes(one));
  return typeof it?.name === "string" && Number.isInteger(it.age) && it.age >= 0 && it.age <= 130 && colours;
}

const openai = new OpenAI({ baseURL: `${address}/v1`, apiKey: "any", maxRetries: 0 });
const seen = [];
const tell = {
  type: "function",
  function: {
    name: "tell",
    description: "Tells it.",
    parameters: schema,
    parse: JSON.parse,
    function: (person) => {
      check("runTools", isPerson(person), person);
      seen.push(person);
      return "told";
    },
  },
};
for (let seed = 0; seed < rounds; seed++) {
  const runner = openai.chat.completions.runTools(
    { model, messages, tools: [tell], tool_choice: "required", parallel_tool_calls: false, max_tokens: 1000, seed, temperature: 1 },
    { maxChatCompletions: 2 },
  );
  // It stops at its number of rounds with an error, as the model does nothing but call.
  await runner.done().catch((error) => check("runTools", /chat completions|without|length/i.test(String(error)), error));
}
check("runTools", seen.length >= rounds, seen);
console.log(`ok openai.js runTools: ${seen.length} calls`);

const compatible = createOpenAICompatible({ name: "scaffold", baseURL: `${address}/v1`, apiKey: "any", supportsStructuredOutputs: true });
for (let seed = 0; seed < rounds; seed++) {
  const said = await generateText({
    model: compatible(model),
    prompt: messages[0].content,
    output: Output.object({ schema: jsonSchema(schema) }),
    maxOutputTokens: 1000,
    maxRetries: 0,
    temperature: 1,
    seed,
  });
  check("ai Output.object", isPerson(said.output), said.text);
}
console.log(`ok ai Output.object: ${rounds} answers`);
