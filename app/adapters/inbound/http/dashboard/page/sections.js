// How each section of the state looks.

import { Chart } from "./charts.js";
import { byId, fill, h, say, sayIf, table } from "./dom.js";
import { ago, day, fullDay, number, percent, period, plural, rate, time } from "./format.js";
import { LongList } from "./lists.js";
import { getJson } from "./live.js";

const NUMBER = "number";
const HEAT = [0, 0.1, 0.25, 0.45, 0.7];
const GOOD = new Set(["applied", "unchanged"]);
const BAD = new Set(["failed", "unusable"]);
const LOOK_EVERY = 5000; // milliseconds, at a page of providers that no stream tells
const PERIODS_TO_A_ROW = 30; // of ten seconds: five minutes

const charts = {};

/** The chart in a box; what stood there instead (an empty state) goes. */
function chart(name, kind) {
  if (!charts[name]?.plot.isConnected) charts[name] = new Chart(byId(name), byId(`${name}-readout`), kind);
  return charts[name];
}

/** Say in a box why there is nothing, or what to do about it. */
function instead(id, ...children) {
  fill(id, h("div", { class: "empty" }, ...children));
  const readout = byId(`${id}-readout`);
  if (readout) readout.textContent = "";
}

const away = (id) => instead(id, h("p", {}, "Not known while the history is away."));

export function drawStore(store) {
  const seen = store.seen_at ? ` Queue and providers are as they were at ${time(store.seen_at)}.` : "";
  sayIf("store-trouble", store.up ? "" : `The catalog's store is away: ${store.reason}.${seen} Search goes on.`);
}

export function drawActivities(activities, state) {
  const { last_hour: hour, dead_letters: letters } = activities;
  say("rate", rate(activities.per_second));
  say("hour-total", number(hour.since ? hour.total : null));
  const began = new Date(hour.ends_at) - hour.counts.length * hour.step * 1000;
  say("hour-since", hour.since && new Date(hour.since) - began > hour.step * 1000 ? `since ${time(hour.since)}` : "accepted");
  say("backlog", number(activities.backlog));
  say("letters", number(letters));
  say("letters-note", letters ? "marquee dead-letters list" : "none");
  byId("letters-tile").dataset.alarm = Boolean(letters);
  if (activities.received === 0) instead("hour", ...suggestion("Nothing has come through the door yet. Try:"));
  else drawHour(hour, activities.per_second, state);
}

function drawHour(hour, now) {
  const values = hour.counts.map((count) => (count === null ? null : count / hour.step));
  const at = (index) => new Date(new Date(hour.ends_at) - (hour.counts.length - index) * hour.step * 1000);
  const known = values.filter((value) => value !== null);
  const peak = Math.max(0, ...known);
  const words = {
    label: `Activities a second over the last hour: ${rate(now)} now, ${rate(peak)} at the most, ${plural(hour.total, "activity", "activities")} in all.`,
    axis: ["60 min ago", "45", "30", "15", "now"],
    idle: known.length ? `a second; most ${rate(peak)}` : "the first figures come in some seconds",
    at: (index) => `${time(at(index))}: ${values[index] === null ? "not counted" : `${rate(values[index])} a second`}`,
    scale: rate,
  };
  chart("hour", "line").show(values, words, () => hourTable(hour, at));
}

function hourTable(hour, at) {
  const rows = [];
  for (let first = 0; first < hour.counts.length; first += PERIODS_TO_A_ROW) {
    const counts = hour.counts.slice(first, first + PERIODS_TO_A_ROW).filter((count) => count !== null);
    const sum = counts.reduce((sum, count) => sum + count, 0);
    rows.push([`${time(at(first))} to ${time(at(first + PERIODS_TO_A_ROW))}`, counts.length ? number(sum) : "not counted"]);
  }
  return table("Activities in the last hour, by five minutes", ["Time", ["Activities", NUMBER]], rows.reverse());
}

function suggestion(text) {
  const command = [
    `curl ${location.origin}/events -H 'Content-Type: application/json' \\`,
    `  -d '{"type": "view", "user_id": "ana", "value": 1}'`,
  ].join("\n");
  return [h("p", {}, text), h("pre", { tabindex: "0", role: "region", "aria-label": "A command to try" }, h("code", {}, command))];
}

export function drawHistory(history) {
  sayIf("history-trouble", history.up ? "" : `The history is away: ${history.reason}. Its figures come back by themselves.`);
  const { types, daily_users: days, retention, users } = history;
  say("counted", number(types?.activities));
  say("types", types ? plural(types.types, "type") : "\u00a0");
  say("today", number(days?.at(-1).users));
  say("yesterday", days ? `yesterday ${number(days.at(-2).users)}` : "\u00a0");
  say("users", number(users?.active));
  say("users-note", users ? `active; ${number(users.deleted)} deleted` : "\u00a0");
  if (retention) drawRetention(retention);
  else away("retention");
}

function drawRetention({ cohorts }) {
  if (!cohorts.some((cohort) => cohort.size)) {
    return instead("retention", h("p", {}, `No new users in the last ${cohorts.length} days.`));
  }
  const later = cohorts.map((_, days) => days).filter((days) => days && cohorts.some((cohort) => cohort.active[days] !== null));
  const heads = ["First day", ["Users", NUMBER], ...later.map((days) => [`+${days}`, "cell"])];
  const rows = cohorts.map((cohort) => [
    day(cohort.start),
    number(cohort.size),
    ...later.map((days) => retentionCell(cohort.active[days], cohort.size)),
  ]);
  const region = { class: "scroll", tabindex: "0", role: "region", "aria-label": "Retention by first day" };
  const caption = "Of the users whose first activity fell on a day, how many were active again days later";
  fill("retention", h("div", region, table(caption, heads, rows, { class: "retention" })));
}

function retentionCell(active, size) {
  if (active === null || !size) return h("td", { class: "cell" });
  const heat = HEAT.filter((limit) => active / size > limit).length;
  return h("td", { class: `cell heat-${heat}` }, percent(active, size), h("span", { class: "unseen" }, ` (${active} of ${size})`));
}

export function drawCatalog(catalog, state) {
  const none = catalog.plans === 0;
  say("plans", number(catalog.plans));
  say("plans-note", catalog.plans === null ? "being loaded" : "in the catalog");
  drawTimeline(catalog);
  drawPlans("past", catalog.past, state.at, none ? "The catalog is empty." : "Nothing yet.");
  drawPlans("next", catalog.next, state.at, none ? "Name a provider in config.yaml, and its plans come here." : "Nothing in sight.");
}

function drawTimeline({ plans, timeline: { unit, periods } }) {
  const counts = periods.map((one) => one.plans);
  const all = counts.reduce((sum, count) => sum + count, 0);
  const middle = (periods.length - 1) / 2;
  if (!all) return instead("timeline", h("p", {}, plans ? `None begins within ${middle} years of today.` : "No plans yet."));
  const name = (index) => period(periods[index].start, unit);
  const words = {
    label: `Plans that begin in each ${unit} from ${name(0)} to ${name(periods.length - 1)}: ${number(all)} in all, ${number(counts[middle])} in the current ${unit}.`,
    axis: [name(0), unit === "day" ? "today" : `this ${unit}`, name(periods.length - 1)],
    idle: `${plural(all, "plan")}, by ${unit}; each at its own local time`,
    at: (index) => `${unit === "day" ? fullDay(periods[index].start) : name(index)}: ${plural(counts[index], "plan")}`,
    scale: (value) => (Number.isInteger(value) ? number(value) : ""),
    current: middle,
  };
  const rows = () => periods.map((one, index) => [name(index), number(one.plans)]);
  chart("timeline", "bars").show(counts, words, () => table(`Plans by ${unit}`, ["From", ["Plans", NUMBER]], rows()));
}

function drawPlans(id, plans, now, otherwise) {
  if (!plans.length) return instead(id, h("p", {}, otherwise));
  fill(id, h("ol", { class: "plans" }, plans.map((plan) => planLine(plan, now))));
}

function planLine(plan, now) {
  const begins = plan.starts;
  const on = new Date(plan.starts_at) <= new Date(now) && new Date(now) < new Date(plan.ends_at);
  return h(
    "li",
    { "data-ends": plan.ends_at },
    h("time", { datetime: begins }, fullDay(begins.slice(0, 10)), " ", plan.start_has_time ? h("b", {}, begins.slice(11, 16)) : null),
    h("span", { class: "title" }, plan.title),
    on ? h("span", { class: "on" }, "on now") : null,
    h("span", { class: "price" }, prices(plan)),
  );
}

function prices({ min_price: lowest, max_price: highest }) {
  if (lowest === null) return "";
  return lowest === highest ? number(lowest) : `${number(lowest)} – ${number(highest)}`;
}

const list = new LongList("providers-tools", 50, "providers", () => lookAtProviders());

/** The stream tells how the first page fares; another one is asked for, and asked for again while it is looked at. */
export function drawProviders(providers, { provider_counts: counts }) {
  byId("providers-tools").hidden = counts.total <= list.size;
  if (!list.isAtRest) return;
  list.tell(counts.total, providers.length);
  drawProviderTable(providers, "None is configured. Four lines of config.yaml make one.");
}

async function lookAtProviders() {
  const query = list.query.toString();
  try {
    const { found, page } = await getJson(`dashboard/providers?${query}`);
    if (query !== list.query.toString()) return;
    list.tell(found, page.length);
    drawProviderTable(page, "No provider has this in its name.");
  } catch {
    // the stream or the next look says why
  }
}

setInterval(() => !document.hidden && byId("locked").hidden && !list.isAtRest && lookAtProviders(), LOOK_EVERY);

function drawProviderTable(providers, otherwise) {
  if (!providers.length) return instead("providers", h("p", {}, otherwise));
  const heads = ["Provider", "Last run", "Last good sync", ["Records", NUMBER], ["Changes", NUMBER], ["Rejected", NUMBER], "Breaker"];
  const rows = providers.map((one) => [
    h("th", { scope: "row" }, h("span", { class: "name" }, one.name), one.enabled ? null : h("small", {}, "switched off")),
    cell("Last run", lastRun(one)),
    cell("Last good sync", age(one.last_good_sync_at, "never")),
    cell("Records", number(one.records), NUMBER),
    cell("Changes", number(one.changes), NUMBER),
    cell("Rejected", rejections(one), NUMBER),
    cell("Breaker", mark(one.circuit === "closed" ? "good" : one.circuit === "open" ? "bad" : "warn", one.circuit)),
  ]);
  const made = table("Providers and how they fare", heads, rows, { class: "providers" });
  made.querySelectorAll("tr").forEach((row) => row.setAttribute("role", "row")); // a phone shows rows as blocks
  made.querySelectorAll("td").forEach((one) => one.setAttribute("role", "cell"));
  fill("providers", made);
}

export function drawProviderCounts({ total, troubled }) {
  say("provider-counts", total ? `${number(total)} in all, ${number(troubled)} in trouble` : "");
}

const cell = (label, content, kind = null) => h("td", { "data-label": label, class: kind }, content);

function lastRun(one) {
  if (!one.outcome) return h("span", { class: "quiet" }, "none yet");
  const kind = GOOD.has(one.outcome) ? "good" : BAD.has(one.outcome) ? "bad" : "warn";
  return h(
    "div",
    {},
    mark(kind, one.outcome),
    " ",
    age(one.last_run_at, ""),
    one.waiting_for_approval ? h("small", {}, `waits for: marquee sync ${one.name} --approve`) : null,
    one.reason ? h("small", {}, one.reason) : null,
  );
}

const rejections = (one) =>
  h("span", {}, number(one.rejected_now), one.rejected_ever ? h("small", {}, `${number(one.rejected_ever)} ever`) : null);

const mark = (kind, word) => h("span", { class: `mark ${kind}` }, word);

const age = (at, never) =>
  at ? h("time", { datetime: at, "data-ago": at, class: "quiet" }) : h("span", { class: "quiet" }, never);

/** Tell anew how long ago things were. */
export function tellAges(now) {
  for (const node of document.querySelectorAll("[data-ago]")) {
    const text = ago(node.dataset.ago, now);
    if (node.textContent !== text) node.textContent = text;
  }
  for (const line of document.querySelectorAll("[data-ends]")) {
    if (new Date(line.dataset.ends) <= new Date(now)) line.querySelector(".on")?.remove();
  }
}
