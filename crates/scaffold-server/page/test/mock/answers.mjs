// What the model of the mock answers to: the words of the last message decide.

export const HOSTILE = `# Report

<script>window.ran = "script"</script>
<img src=x onerror="window.ran='onerror'">
<svg onload="window.ran='svg'"><animate onbegin="window.ran='animate'" attributeName=x dur=1s></svg>
<style>body { display: none }</style>
<iframe srcdoc="<script>parent.ran='iframe'</script>"></iframe>
<form action="/api/delete"><button>Delete</button></form>
<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=window.ran='math'&gt;">
<a href="javascript:window.ran='anchor'">one</a>

[two](javascript:window.ran='link') [three](JaVaScRiPt&colon;window.ran='entity') [four](data:text/html,<script>parent.ran=1</script>)
[own](/api/delete?x) [five](vbscript:x) [six](https://other.example/path "title\\" onmouseover=window.ran='title'")

![seven](https://other.example/pixel.png?secret) ![eight](data:image/svg+xml,<svg onload=window.ran='img'>)

\`\`\`js" onmouseover="window.ran='fence'
let a = "<img src=x onerror=window.ran='code'>";
\`\`\`

| a | b |
|---|---|
| <img src=x onerror=window.ran='cell'> | <b onclick="window.ran='b'">bold</b> |

<span class="dialog notice trouble" style="position:fixed;inset:0">cover</span>
The end of it.`;

export const RICH = `## Sorting in Rust

To sort a list of **words** by length, use \`sort_by_key\`:

\`\`\`rust
fn by_length(mut words: Vec<String>) -> Vec<String> {
    // Stable: equal lengths keep their order.
    words.sort_by_key(|word| word.len());
    words
}
\`\`\`

How the two sorts differ:

| Method | Stable | Time | Memory |
|:--|:-:|--:|--:|
| \`sort_by_key\` | yes | n log n | n / 2 |
| \`sort_unstable_by_key\` | no | n log n | none |

1. Take the *first* where order matters.
2. Take the second where it does not:
   - it is often faster,
   - and needs no memory.

> A sort that is stable keeps equal elements in their order.

More in [the documentation](https://doc.example/sort).`;

/** What takes a reader of Markdown long. */
const DEEP = `${Array.from({ length: 420 }, (_, depth) => `${" ".repeat(depth * 2)}- a`).join("\n")}\n\nThe end of it.`;

const WORDS = "The capital of France is Paris. It lies on the Seine, and more than two million people live there.";

export function answerTo(text) {
  if (/hostile/i.test(text)) return HOSTILE;
  if (/deep/i.test(text)) return DEEP;
  if (/table|code|rust/i.test(text)) return RICH;
  if (/think/i.test(text)) return `<think>The person greets me. I greet back.</think>\n\nHello there.`;
  if (/long|slow/i.test(text)) return Array.from({ length: 60 }, (_, line) => `Line ${line + 1} of a long answer.`).join("\n\n");
  return WORDS;
}
