// The page: sections of the state in, words and shapes out. A section is drawn only when it has changed.

import { drawActivities, drawCatalog, drawHistory, drawProviderCounts, drawProviders, drawStore, tellAges } from "./sections.js";
import { daysChanged } from "./days.js";
import { byId, say } from "./dom.js";
import { timeToTheSecond } from "./format.js";
import { askForKey, currentKey, useKey } from "./key.js";
import { watch } from "./live.js";
import { drawTroubles } from "./troubles.js";

const DRAW = {
  store: drawStore,
  activities: drawActivities,
  history: drawHistory,
  catalog: drawCatalog,
  providers: drawProviders,
  provider_counts: drawProviderCounts,
};
const WORDS = { live: "live", polling: "polling", locked: "key needed" };

const state = {};
const drawn = {};
let heardAt = null;

function show(news) {
  Object.assign(state, news);
  heardAt = Date.now();
  for (const [name, draw] of Object.entries(DRAW)) {
    const text = JSON.stringify(state[name]);
    if (drawn[name] === text) continue;
    draw(state[name], state);
    drawn[name] = text;
    if (name === "history") daysChanged();
  }
  drawTroubles(state);
  say("as-of", timeToTheSecond(state.at));
  tellAges(state.at);
}

function tell(mode) {
  const offlineSince = heardAt ? `offline since ${timeToTheSecond(heardAt)}` : "offline";
  byId("mode").dataset.mode = mode;
  say("mode", WORDS[mode] ?? offlineSince);
  byId("locked").hidden = mode !== "locked";
  byId("board").hidden = mode === "locked";
  byId("forget").hidden = !currentKey() || mode === "locked";
}

byId("forget").addEventListener("click", () => {
  useKey(null);
  location.reload();
});

watch(show, tell, askForKey);
