import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

function body(...parts) {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(typeof part === "string" ? encoder.encode(part) : part);
      controller.close();
    },
  });
}

async function all(iterator) {
  const found = [];
  for await (const one of iterator) found.push(one);
  return found;
}

test("events are whole, however their bytes are cut", async () => {
  const { events } = await load("api/lines.ts");
  assert.deepEqual(await all(events(body("data: a\n\nda", "ta: b\r\n\r\n: note\n\ndata:c\ndata: d\n\n"))), ["a", "b", "c\nd"]);
  const euro = new TextEncoder().encode("data: 5 €\n\n");
  for (let cut = 1; cut < euro.length; cut += 1) {
    assert.deepEqual(await all(events(body(euro.slice(0, cut), euro.slice(cut)))), ["5 €"]);
  }
  // What was not ended is told as well: the server may have been cut off.
  assert.deepEqual(await all(events(body("data: last"))), ["last"]);
});

test("a question has no field that nobody set", async () => {
  const { bodyOf } = await load("api/answer.ts");
  const messages = [{ role: "user", content: "a" }];
  assert.deepEqual(bodyOf({ model: "m", messages, sampling: {}, scores: false }), {
    model: "m", messages, stream: true, stream_options: { include_usage: true },
  });
  const full = bodyOf({ model: "m", messages, sampling: { temperature: 0, seed: 7, stop: ["\n"] }, scores: true });
  assert.deepEqual([full.temperature, full.seed, full.stop, full.logprobs], [0, 7, ["\n"], true]);
});

test("errors of all of the server's APIs are read", async () => {
  const { wordsOf } = await load("api/http.ts");
  assert.equal(wordsOf('{"error":{"message":"no","type":"x"}}'), "no");
  assert.equal(wordsOf('{"error":"no model"}'), "no model");
  assert.equal(wordsOf('{"message":"m"}'), "m");
  assert.equal(wordsOf("Bad Gateway\n"), "Bad Gateway");
});

test("a thought is told from the answer", async () => {
  const { parts } = await load("text/think.ts");
  assert.deepEqual(parts("a <think> b"), { thought: "", answer: "a <think> b", open: false });
  assert.deepEqual(parts("\n<think>a"), { thought: "a", answer: "", open: true });
  assert.deepEqual(parts("<think>\na\n</think>\n\nb</think>"), { thought: "a", answer: "b</think>", open: false });
});

const chat = (nodes, leaf) => ({ id: "c", nodes, leaf });
const node = (id, parent, role = "user") => ({ id, parent, role, text: id, at: 0 });

test("ways through a chat", async () => {
  const { path, siblings, shown, grown, changed } = await load("chat/tree.ts");
  const nodes = [node("a", null), node("b", "a", "assistant"), node("c", "b"), node("d", "a", "assistant"), node("e", null)];
  const all = chat(nodes, "c");
  const ids = (found) => found.map(({ id }) => id).join("");
  assert.equal(ids(path(all)), "abc");
  assert.equal(ids(siblings(all, nodes[1])), "bd");
  assert.equal(ids(siblings(all, nodes[0])), "ae");
  assert.equal(shown(all, "b").leaf, "c");
  assert.equal(shown(all, "a").leaf, "d");
  assert.equal(ids(path(grown(all, node("f", "c")))), "abcf");
  assert.equal(changed(all, "b", { text: "x" }).nodes[1].text, "x");
  // A file of a stranger's may go round in circles, or lead nowhere.
  assert.equal(ids(path(chat([node("a", "b"), node("b", "a")], "a"))), "ba");
  assert.equal(ids(path(chat([node("a", "gone")], "a"))), "a");
});

test("chats come back from a file, and what is wrong in one is left out", async () => {
  const { exported, imported } = await load("chat/exchange.ts");
  const first = {
    id: "c", title: "T", named: true, created: 1, changed: 2, model: "m", system: "s", scores: true, leaf: "b",
    sampling: { temperature: 0.5, stop: ["x"] }, nodes: [node("a", null), { ...node("b", "a", "assistant"), progress: "done" }],
  };
  const [again] = imported(exported([first]));
  assert.notEqual(again.id, first.id);
  assert.deepEqual({ ...again, id: "c" }, first);
  const [odd] = imported(JSON.stringify({ format: "scaffold-chats-1", chats: [{ nodes: [{ text: 5, parent: "nowhere", role: "admin" }, null], sampling: { temperature: "hot" } }] }));
  assert.equal(odd.nodes.length, 2);
  assert.equal(odd.nodes[0].parent, null);
  assert.deepEqual(odd.sampling, {});
  for (const text of ["", "{}", "[]", "null", '{"format":"scaffold-chats-1"}', '{"format":"other","chats":[]}']) {
    assert.throws(() => imported(text), /JSON|holds no chats/, text);
  }
});

test("four lists of models become one", async () => {
  const { merged } = await load("api/models.ts");
  const tags = [{ name: "a:latest", size: 5, details: { parameter_size: "1B", quantization_level: "unknown" } }, { name: "b:q4" }, { name: "org/vectors", capabilities: ["embedding"] }];
  const ps = [{ name: "b:q4", expires_at: "x" }, { name: "short" }];
  const found = merged({ tags, ps, ids: ["a", "org/d", "org/e", "org/vectors"] }, [
    { name: "org/full", names: ["c"], stage: "fetching", bytes: 2, of: 4 },
    { name: "org/e", names: ["short", "org/e"], stage: "ready" },
    { name: "org/d", names: [], stage: "failed", why: "too large" },
  ]);
  assert.deepEqual(found.map(({ name, stage }) => `${name} ${stage}`), ["b:q4 loaded", "org/e loaded", "c loading", "a disk", "org/d failed"]);
  assert.deepEqual([found[2].part, found[2].word, found[4].why], [0.5, "fetching", "too large"]);
  assert.deepEqual(found[3], { name: "a", stage: "disk", size: 5, about: "1B" });
});

test("metrics are read as Prometheus writes them", async () => {
  const { parse, total, by, buckets, quantile } = await load("metrics/prometheus.ts");
  const samples = parse(`# HELP a words
a{model="x \\"y\\"\\n",n="1"} 2 1700000000
a{model="z"} 3e2
b +Inf
h_bucket{le="0.1"} 1
h_bucket{le="0.2"} 3
h_bucket{le="+Inf"} 4
broken{ 5
`);
  assert.equal(total(samples, "a"), 302);
  assert.equal(total(samples, "b"), Infinity);
  assert.equal(total(samples, "none"), undefined);
  assert.deepEqual([...by(samples, "a", "model")], [['x "y"\n', 2], ["z", 300]]);
  const after = buckets(samples, "h");
  assert.ok(Math.abs(quantile(new Map(), after, 0.5) - 0.15) < 1e-9);
  // Above the last bound nothing is known but that.
  assert.equal(quantile(new Map(), after, 0.99), 0.2);
  assert.equal(quantile(after, after, 0.5), undefined);
});

test("tokens are told in letters, whatever their vocabulary writes", async () => {
  const { texts } = await load("text/pieces.ts");
  assert.deepEqual(texts(["<|im_start|>", "Ċ", "Ġa", "b", "Ã©", "Ã"]), ["<|im_start|>", "\n", " a", "b", "é", "\ufffd"]);
  assert.deepEqual(texts(["▁a", "<0x0A>", "é"]), [" a", "\n", "é"]);
});

test("numbers in words", async () => {
  const { bytes, duration, ageOf, percent } = await load("ui/format.ts");
  assert.deepEqual([bytes(999), bytes(98_000_000), bytes(4.7e9)], ["999 B", "98 MB", "4.7 GB"]);
  assert.deepEqual([duration(0.25), duration(12.3), duration(1500), duration(61_000)], ["0.25 ms", "12 ms", "1.5 s", "1 min 1 s"]);
  assert.deepEqual([percent(0.5), percent(0.004)], ["50 %", "0.4 %"]);
  const now = new Date(2026, 0, 15, 0, 30).getTime();
  assert.deepEqual([ageOf(now, now), ageOf(now - 3_600_000, now), ageOf(now - 5 * 86_400_000, now)], ["Today", "Yesterday", "The last seven days"]);
});
