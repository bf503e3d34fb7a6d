// Making and filling elements. Text goes in as text, always: titles and names come from strangers.

const SVG = "http://www.w3.org/2000/svg";

const FITS = [9, 13, 19, Infinity]; // signs of a figure; the more, the smaller

export const byId = (id) => document.getElementById(id);

/** Make an element: h("td", { class: "number" }, "12", child). */
export const h = (tag, attributes = {}, ...children) => dress(document.createElement(tag), attributes, children);

/** The same for a piece of a drawing. */
export const s = (tag, attributes = {}, ...children) => dress(document.createElementNS(SVG, tag), attributes, children);

function dress(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/** Show a text; nothing moves when it is there already. */
export function say(id, text) {
  const node = byId(id);
  if (node.textContent === text) return;
  node.textContent = text;
  if (node.classList.contains("figure")) node.dataset.width = FITS.findIndex((most) => text.length <= most);
}

/** Show or hide a line that has something to say only at times. */
export function sayIf(id, text) {
  byId(id).hidden = !text;
  say(id, text || "");
}

export const fill = (id, ...children) => byId(id).replaceChildren(...children);

/** A table: heads are names or [name, class]; rows are lists of cells, the first of which names its row. */
export function table(caption, heads, rows, attributes = {}) {
  const head = heads.map((name) => (Array.isArray(name) ? name : [name, null]));
  return h(
    "table",
    attributes,
    h("caption", { class: "unseen" }, caption),
    h("thead", {}, h("tr", {}, head.map(([name, kind]) => h("th", { scope: "col", class: kind }, name)))),
    h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((cell, at) => tableCell(cell, at, head[at][1]))))),
  );
}

function tableCell(content, at, kind) {
  if (content instanceof HTMLTableCellElement) return content;
  return at === 0 ? h("th", { scope: "row", class: kind }, content) : h("td", { class: kind }, content);
}
