// What is wrong, first: a sentence for each trouble, with what to do about it.

import { byId, h } from "./dom.js";
import { number, plural } from "./format.js";

const LATE = 60; // seconds that an activity may wait to be stored
const MOST_PROVIDERS = 5;

let drawn = null;

/** Draw the list anew when it says something else than before. */
export function drawTroubles(state) {
  const troubles = [...waiting(state.activities), ...counting(state.history), ...failing(state)];
  const text = JSON.stringify(troubles);
  const others = ["store-trouble", "history-trouble"].some((id) => !byId(id).hidden);
  byId("trouble").hidden = !troubles.length && !others;
  if (text === drawn) return;
  drawn = text;
  byId("troubles").replaceChildren(
    ...troubles.map(({ says, command, link }) =>
      h("li", {}, says, command ? [" ", h("code", {}, command)] : null, link ? [" ", h("a", { href: link }, "See below")] : null),
    ),
  );
}

function* waiting({ backlog, oldest_age: age, dead_letters: letters }) {
  if (backlog && age >= LATE) {
    const minutes = plural(Math.floor(age / 60), "minute");
    yield { says: `Activities wait to be stored, the oldest for ${minutes}: no worker runs, or it cannot keep up.`, command: "marquee check" };
  }
  if (letters) yield { says: `${plural(letters, "dead letter")} could not be stored:`, command: "marquee dead-letters list" };
}

function* counting({ counting: says }) {
  if (says) yield { says };
}

function* failing({ providers, provider_counts: { troubled } }) {
  const shown = providers.slice(0, Math.min(troubled, MOST_PROVIDERS));
  for (const one of shown) yield ofProvider(one);
  if (troubled > shown.length) yield { says: `${number(troubled - shown.length)} other providers are in trouble.`, link: "#providers-title" };
}

function ofProvider({ name, outcome, reason, circuit, waiting_for_approval: waits }) {
  if (waits) return { says: `${name} waits for your approval${reason ? ` (${reason})` : ""}:`, command: `marquee sync ${name} --approve` };
  const state = circuit === "closed" ? (outcome ?? "not usable") : `${outcome ?? "failed"}, breaker ${circuit}`;
  return { says: `${name}: ${state}${reason ? `: ${reason}` : ""}` };
}
