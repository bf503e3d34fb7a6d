// The days that are looked at: chosen by buttons or dates, kept in the page's URL, asked for anew while things happen.

import { Chart } from "./charts.js";
import { byId, fill, h, say, sayIf, table } from "./dom.js";
import { compact, day, fullDay, number, plural } from "./format.js";
import { LongList } from "./lists.js";
import { getJson } from "./live.js";

const DEFAULT_DAYS = "30";
const LOOK_EVERY = 2000; // at most, while something changes
const SETTLED_AFTER = 5000; // the order of the types is a moment old at first
const LOOK_ANYWAY = 15000;
const NUMBER = "number";
const charts = {};

const types = new LongList("types-tools", 10, "types", () => look());
let asked = null; // what the last look was for; an answer to another question comes too late
let lookedAt = -Infinity;
let changedAt = -Infinity;
let drawn = "";

/** What the URL says: { days } or { from, to }, and perhaps a type. */
function wanted() {
  const given = new URLSearchParams(location.search);
  const names = given.get("from") ? ["from", "to", "type"] : ["days", "type"];
  const query = new URLSearchParams(names.filter((name) => given.get(name)).map((name) => [name, given.get(name)]));
  if (!query.get("from") && !query.get("days")) query.set("days", DEFAULT_DAYS);
  return query;
}

function choose(changes) {
  const query = wanted();
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) query.delete(name);
    else query.set(name, value);
  }
  history.pushState(null, "", `?${query}${location.hash}`);
  types.offset = 0;
  look();
}

/** Ask, and draw what is the answer to the last question. */
async function look() {
  const query = wanted();
  const own = (asked = {});
  lookedAt = performance.now();
  press(query);
  const of = new URLSearchParams(query);
  of.delete("type");
  try {
    const found = await Promise.all([getJson(`dashboard/days?${query}`), getJson(`dashboard/types?${of}&${types.query}`)]);
    if (own !== asked) return;
    sayIf("range-refusal", "");
    const { first, last } = found[0];
    found.push(await getJson(`dashboard/plans?${new URLSearchParams({ from: first, to: last })}`));
    if (own !== asked) return;
    const text = JSON.stringify([query.toString(), types.query.toString(), ...found]);
    if (text !== drawn) draw(...found);
    drawn = text;
  } catch (problem) {
    if (own === asked) fail(problem);
  }
}

function fail(problem) {
  drawn = "";
  changedAt = performance.now();
  if (problem.status === 400) sayIf("range-refusal", problem.message);
  if (problem.status === 503) ["revenue", "daily", "top-types", "bought", "only-viewed"].forEach((id) => instead(id, "Not known while the history is away."));
}

/** Hear that something was counted, or that the page may ask at last. */
export function daysChanged() {
  changedAt = performance.now();
  if (lookedAt === -Infinity) look();
}

setInterval(() => {
  const now = performance.now();
  if (document.hidden || !byId("locked").hidden || lookedAt === -Infinity || now - lookedAt < LOOK_EVERY) return;
  if (lookedAt < changedAt + SETTLED_AFTER || now - lookedAt > LOOK_ANYWAY) look();
}, LOOK_EVERY / 4);

addEventListener("popstate", () => {
  types.offset = 0;
  look();
});
for (const button of document.querySelectorAll("#range [data-days]")) {
  button.addEventListener("click", () => choose({ days: button.dataset.days, from: null, to: null }));
}
byId("range").addEventListener("submit", (submission) => {
  submission.preventDefault();
  const { from, to } = submission.target.elements;
  if (from.value && to.value) choose({ days: null, from: from.value, to: to.value });
});
byId("chosen-close").addEventListener("click", () => {
  choose({ type: null });
  byId("types-tools-search").focus();
});

function press(query) {
  for (const button of document.querySelectorAll("#range [data-days]")) {
    button.setAttribute("aria-pressed", String(query.get("days") === button.dataset.days));
  }
}

function draw(days, page, plans) {
  const { from, to } = byId("range").elements;
  if (document.activeElement !== from) from.value = days.first;
  if (document.activeElement !== to) to.value = days.last;
  say("range-said", `${fullDay(days.first)} to ${fullDay(days.last)}, ${plural(days.users.length, "day")}`);
  say("revenue-total", number(days.revenue.sum));
  say("revenue-note", plural(days.revenue.count, "purchase"));
  say("range-activities", number(page.activities));
  say("range-types", `of ${plural(page.types, "type")}`);
  const most = Math.max(...days.users.map((one) => one.users));
  say("range-users", number(most));
  drawSums("revenue", days.revenue, days.today, "Nothing was bought in these days. What is earned is the sum of the values of purchases.");
  byId("chosen-card").hidden = !days.chosen;
  if (days.chosen) {
    say("chosen-title", `${days.chosen.types[0]}, day by day`);
    drawSums("chosen", days.chosen, days.today, "None in these days.");
  }
  drawUsers(days.users, days.today, most);
  drawTypes(page);
  drawPlans("bought", plans.bought, "None was bought, or no activity names its plan.");
  drawPlans("only-viewed", plans.only_viewed, "None that was looked at ten times.");
}

function drawPlans(id, plans, otherwise) {
  if (!plans.length) return instead(id, otherwise);
  const heads = ["Plan", ["Views", NUMBER], ["Purchases", NUMBER], ["Sum", NUMBER]];
  const rows = plans.map((one) => [one.title ?? one.plan_id, number(one.views), number(one.purchases), number(one.sum)]);
  fill(id, table(id === "bought" ? "Plans that sell" : "Plans that are only looked at", heads, rows, { class: "selling" }));
}

/** The chart in a box; what stood there instead (an empty state) goes. */
function chart(name, kind) {
  if (!charts[name]?.plot.isConnected) charts[name] = new Chart(byId(name), byId(`${name}-readout`), kind);
  return charts[name];
}

function instead(id, text) {
  fill(id, h("div", { class: "empty" }, h("p", {}, text)));
  const readout = byId(`${id}-readout`);
  if (readout) readout.textContent = "";
}

/** Sums by day; where a type has no values, its counts. */
function drawSums(id, sums, today, otherwise) {
  const { days } = sums;
  if (!sums.count) return instead(id, otherwise);
  const bySum = days.some((one) => Number(one.sum));
  const values = days.map((one) => (bySum ? Number(one.sum) : one.count));
  const shown = days.map((one) => number(bySum ? one.sum : one.count));
  const name = sums.types.join(", ");
  const at = (date) => days.findIndex((one) => one.date === date);
  const current = at(today);
  const lately = [["yesterday", at(dayBefore(today))], ["today so far", current]].filter(([, index]) => index >= 0);
  const words = {
    label: `${bySum ? "Sum" : "Count"} of ${name} on each of ${plural(days.length, "day")}: ${number(bySum ? sums.sum : sums.count)} in all.`,
    axis: axis(days, today),
    idle: lately.map(([word, index]) => `${word} ${shown[index]}`).join("; ") || `${plural(days.length, "day")}, ${plural(sums.count, "activity", "activities")}`,
    at: (index) => `${fullDay(days[index].date)}: ${shown[index]}${bySum ? ` of ${number(days[index].count)}` : ""}${index === current ? " so far" : ""}`,
    scale: compact,
    current: current < 0 ? days.length : current,
  };
  const rows = () => days.map((one) => [fullDay(one.date), number(one.count), number(one.sum)]).reverse();
  chart(id, "bars").show(values, words, () => table(`${name} by day`, ["Day", ["Count", NUMBER], ["Sum", NUMBER]], rows()));
}

function drawUsers(days, today, most) {
  const users = days.map((one) => one.users);
  if (!most) return instead("daily", "Nobody in these days. Activities with a user_id count here, also imported ones.");
  const last = days.length - 1;
  const current = days[last].date === today ? last : undefined;
  const words = {
    label: `Active users on each of ${plural(days.length, "day")}: ${number(users[last])} on the last, ${number(most)} at the most.`,
    axis: axis(days, today),
    idle: `${plural(days.length, "day")}; most ${number(most)}`,
    at: (index) => `${fullDay(days[index].date)}: ${number(users[index])}${index === current ? " so far" : ""}`,
    scale: (value) => (Number.isInteger(value) ? compact(value) : ""),
    current,
  };
  const rows = () => days.map((one) => [fullDay(one.date), number(one.users)]).reverse();
  chart("daily", "line").show(users, words, () => table("Active users by day", ["Day", ["Users", NUMBER]], rows()));
}

function axis(days, today) {
  const name = ({ date }) => (date === today ? "today" : day(date));
  const ends = [days[0], days[Math.round((days.length - 1) / 2)], days.at(-1)];
  return days.length < 3 ? days.map(name) : ends.map(name);
}

function dayBefore(date) {
  return new Date(new Date(`${date}T00:00Z`) - 86400000).toISOString().slice(0, 10);
}

function drawTypes({ page, found, types: all }) {
  types.tell(found, page.length);
  if (!all) return instead("top-types", "Nothing counted in these days. A type is a word of yours: view, click, purchase.");
  if (!page.length) return instead("top-types", "No type has this in its name.");
  const focused = document.activeElement?.dataset.type;
  const most = Math.max(...page.map((total) => total.count));
  const rows = page.map((total) => {
    const bar = h("span", { class: "bar" });
    bar.style.setProperty("--share", total.count / most);
    const name = h("button", { type: "button", class: "name", "data-type": total.type, title: "Show it day by day" }, total.type);
    name.addEventListener("click", () => choose({ type: total.type }));
    return [h("th", { scope: "row" }, name, bar), number(total.count), h("td", { class: Number(total.sum) ? NUMBER : `${NUMBER} zero` }, number(total.sum))];
  });
  fill("top-types", table("The most frequent types", ["Type", ["Count", NUMBER], ["Sum", NUMBER]], rows, { class: "types" }));
  if (focused) document.querySelector(`[data-type="${CSS.escape(focused)}"]`)?.focus();
}
