// Two small charts. Shapes are stretched to the width of their box; words stand beside them as HTML, so they stay sharp.
// Every chart is one picture with a sentence for those who do not see it, and has its figures in a table below.

import { h, s } from "./dom.js";

const HEIGHT = 100;

/** A chart that draws itself anew with each `show`, and keeps what its reader has opened. */
export class Chart {
  /**
   * @param box where it goes
   * @param readout where it says what is under the pointer
   * @param kind "line" or "bars"
   */
  constructor(box, readout, kind) {
    this.picture = s("svg", { role: "img", preserveAspectRatio: "none", class: kind });
    this.marker = h("div", { class: "marker", hidden: true });
    this.top = h("span", { class: "top-label", "aria-hidden": "true" });
    this.middle = h("span", { class: "middle-label", "aria-hidden": "true" });
    this.axis = h("div", { class: "axis", "aria-hidden": "true" });
    this.rows = h("div", { class: "scroll", tabindex: "0", role: "region" });
    this.details = h("details", {}, h("summary", {}, "As a table"), this.rows);
    this.details.addEventListener("toggle", () => this.fillTable());
    this.plot = h("div", { class: "plot" }, this.picture, this.marker, this.top, this.middle);
    this.readout = readout;
    this.draw = kind === "line" ? line : bars;
    this.ends = kind === "line" ? 0 : 0.5;
    box.replaceChildren(this.plot, this.axis, this.details);
    this.plot.addEventListener("pointermove", (event) => this.point(event));
    this.plot.addEventListener("pointerleave", () => this.point(null));
  }

  /**
   * @param values numbers, null where there is none
   * @param words { label: the sentence, axis: what stands below, idle: the readout when nobody points, at: index => the
   *   readout of a value, scale: number => text, current: the index of what is not over yet }
   * @param table makes the same as an HTML table, once somebody opens it
   */
  show(values, words, table) {
    const max = niceMax(Math.max(0, ...values.filter((value) => value !== null)));
    this.values = values;
    this.words = words;
    this.picture.setAttribute("viewBox", `0 0 ${this.places} ${HEIGHT}`);
    this.picture.setAttribute("aria-label", words.label);
    this.picture.replaceChildren(...this.draw(values, max, words.current));
    this.top.textContent = words.scale(max);
    this.middle.textContent = words.scale(max / 2);
    this.axis.replaceChildren(...words.axis.map((text) => h("span", {}, text)));
    this.table = table;
    this.fillTable();
    this.say();
  }

  /** How wide the picture is, in values; one value alone has a place too. */
  get places() {
    return this.values.length - 1 + 2 * this.ends || 1;
  }

  fillTable() {
    if (!this.details.open || !this.table) return;
    const made = this.table();
    this.rows.setAttribute("aria-label", made.caption.textContent);
    this.rows.replaceChildren(made);
  }

  point(event) {
    const bounds = this.plot.getBoundingClientRect();
    const share = event && (event.clientX - bounds.left) / bounds.width;
    if (!this.values) return;
    const { places } = this;
    this.pointed = event ? Math.min(this.values.length - 1, Math.max(0, Math.round(share * places - this.ends))) : null;
    if (event) this.marker.style.setProperty("--at", (this.pointed + this.ends) / places);
    this.say();
  }

  say() {
    const pointed = this.pointed ?? null;
    this.marker.hidden = pointed === null;
    const text = pointed === null ? this.words?.idle : this.words?.at(pointed);
    if (text !== undefined && this.readout.textContent !== text) this.readout.textContent = text;
  }
}

function niceMax(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 3, 4, 6, 8, 10, 20].map((step) => step * power).find((step) => step >= value);
}

// A sum below nothing is drawn as nothing; words and table say it.
const y = (value, max) => (HEIGHT - (Math.max(0, value) / max) * (HEIGHT - 4)).toFixed(2);

function line(values, max, current) {
  const runs = values.reduce((runs, value, x) => {
    if (value === null) return [...runs, []];
    runs.at(-1).push([x, y(value, max)]);
    return runs;
  }, [[]]).filter((run) => run.length);
  const path = (points) => points.map(([x, y]) => `${x} ${y}`).join("L");
  return runs.flatMap((run) => {
    const open = current !== undefined && run.at(-1)[0] === current && run.length > 1;
    const [done, last] = open ? [run.slice(0, -1), run.slice(-2)] : [run, null];
    return [
      s("path", { class: "area", d: `M${run[0][0]} ${HEIGHT}L${path(run)}L${run.at(-1)[0]} ${HEIGHT}Z` }),
      s("path", { class: "stroke", d: `M${path(done)}${done.length === 1 ? "h.01" : ""}` }),
      ...(last ? [s("path", { class: "stroke open", d: `M${path(last)}` })] : []),
    ];
  });
}

function bars(values, max, current) {
  return values.map((value, x) => {
    const kind = x === current ? "now" : x < current ? "past" : "next";
    const top = value > 0 ? Math.min(y(value, max), HEIGHT - 3) : HEIGHT - 0.75;
    return s("rect", { class: value ? kind : "none", x: x + 0.1, width: 0.8, y: top, height: HEIGHT - top });
  });
}
