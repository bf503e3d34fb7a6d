// Numbers and times as people read them. Thousands are parted by a thin space that does not break.

const THIN = "\u202f";
const MINUS = "\u2212";

const clockTime = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const clockSeconds = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = { day: "numeric", month: "short", timeZone: "UTC" };
const shortDay = new Intl.DateTimeFormat("en-GB", DAY);
const longDay = new Intl.DateTimeFormat("en-GB", { ...DAY, weekday: "short", year: "numeric" });
const month = new Intl.DateTimeFormat("en-GB", { month: "short", year: "numeric", timeZone: "UTC" });

/** Write a number, given as such or in digits, with every digit that it has. */
export function number(value) {
  if (value === null || value === undefined) return "–";
  const [, sign, whole, rest] = /^(-?)(\d+)(.*)$/.exec(String(value)) ?? [null, "", String(value), ""];
  return (sign && MINUS) + whole.replace(/\B(?=(\d{3})+$)/g, THIN) + rest;
}

const short = new Intl.NumberFormat("en-GB", { notation: "compact", maximumSignificantDigits: 3 });

/** Write a number in little room: for the scale of a chart, never for a figure. */
export const compact = (value) => (Number.isInteger(value) && value < 10000 ? number(value) : short.format(value));

/** Write how many come a second: with a tenth as long as that says anything. */
export function rate(value) {
  if (value === null || value === undefined) return "–";
  return number(value < 9.95 ? value.toFixed(1).replace(/^0\.0$/, "0") : Math.round(value));
}

export const percent = (part, whole) => `${Math.round((100 * part) / whole)}%`;

export const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

export const time = (at) => clockTime.format(new Date(at));
export const timeToTheSecond = (at) => clockSeconds.format(new Date(at));

/** A date without a time ("2026-01-05"). */
export const day = (date) => shortDay.format(new Date(`${date}T00:00Z`));
export const fullDay = (date) => longDay.format(new Date(`${date}T00:00Z`));

/** The first day of a period, as its name. */
export function period(start, unit) {
  if (unit === "year") return start.slice(0, 4);
  return unit === "month" ? month.format(new Date(`${start}T00:00Z`)) : day(start);
}

/** How long ago, in the largest unit that fits; both are instants. */
export function ago(at, now) {
  const seconds = Math.max(0, Math.round((new Date(now) - new Date(at)) / 1000));
  const [size, unit] = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]].find(([size]) => seconds >= size) ?? [1, "s"];
  return `${number(Math.floor(seconds / size))}${THIN}${unit} ago`;
}
