// Where the page begins.

import { render } from "preact";
import { collect } from "./metrics/collect.ts";
import { begin, current } from "./state/chats.ts";
import { watch } from "./state/models.ts";
import { beginRoutes } from "./state/route.ts";
import { applyTheme } from "./state/settings.ts";
import { App } from "./ui/app.tsx";
import { beginKeys } from "./ui/keys.ts";
import { toggleSettings } from "./ui/top.tsx";

applyTheme();
current.listen(() => (document.title = current.value.nodes.length ? `${current.value.title} – Scaffold` : "Scaffold"));
const root = document.getElementById("root");
if (root) {
  root.textContent = "";
  render(<App />, root);
}
beginRoutes();
beginKeys(toggleSettings);
watch();
collect();
void begin();
