// A list that may be long: a page of it at a time, a box to search in, and buttons to go on with.

import { byId, h } from "./dom.js";
import { number } from "./format.js";

const WAIT = 250; // milliseconds after the last letter before it is searched for

/** The tools above a table, and what they ask for. Keys and focus stay: only the table below is drawn anew. */
export class LongList {
  /**
   * @param id of the box for the tools
   * @param size rows of a page
   * @param what how the rows are called ("types")
   * @param change is called when another page is wanted
   */
  constructor(id, size, what, change) {
    this.size = size;
    this.change = change;
    this.search = "";
    this.offset = 0;
    this.box = h("input", { type: "search", id: `${id}-search`, maxlength: 100, autocomplete: "off", spellcheck: "false" });
    this.said = h("span", { class: "quiet", role: "status" });
    this.back = h("button", { type: "button", "aria-label": `Previous ${what}`, disabled: true }, "‹");
    this.next = h("button", { type: "button", "aria-label": `Next ${what}`, disabled: true }, "›");
    byId(id).replaceChildren(h("label", { for: `${id}-search` }, `Search ${what}`), this.box, this.said, this.back, this.next);
    this.box.addEventListener("input", () => {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.go(this.box.value.trim(), 0), WAIT);
    });
    this.back.addEventListener("click", () => this.go(this.search, this.offset - this.size));
    this.next.addEventListener("click", () => this.go(this.search, this.offset + this.size));
  }

  /** Whether it shows its beginning, unsearched. */
  get isAtRest() {
    return !this.search && !this.offset;
  }

  get query() {
    return new URLSearchParams({ search: this.search, offset: this.offset, limit: this.size });
  }

  go(search, offset) {
    this.search = search;
    this.offset = Math.max(0, offset);
    this.change();
  }

  /** Say which of how many are shown; a page behind the last row leads back to the first. */
  tell(found, shown) {
    if (!shown && found && this.offset) return this.go(this.search, 0);
    const text = shown ? `${number(this.offset + 1)}–${number(this.offset + shown)} of ${number(found)}` : "none";
    if (this.said.textContent !== text) this.said.textContent = text;
    this.back.disabled = !this.offset;
    this.next.disabled = this.offset + shown >= found;
  }
}
