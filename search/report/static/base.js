// Shared by all pages: the page's data, elements, numbers as text.
const page = JSON.parse(document.getElementById("page-data").textContent);
const byId = (id) => document.getElementById(id);

function put(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}
const make = (tag, attributes = {}, ...children) => put(document.createElement(tag), attributes, children);
const SVG = "http://www.w3.org/2000/svg";
const draw = (tag, attributes = {}, ...children) => put(document.createElementNS(SVG, tag), attributes, children);
const fillWith = (id, ...children) => byId(id).replaceChildren(...children.filter((child) => child));

const PREFIXES = [[1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""], [1e-3, "m"], [1e-6, "µ"], [1e-9, "n"], [1e-12, "p"]];
const digits = (value) => Number(value.toPrecision(4)).toLocaleString("en", {maximumSignificantDigits: 4});

function withPrefix(value, unit) {
  if (value === 0) return `0 ${unit}`;
  const [size, prefix] = PREFIXES.find(([least]) => Math.abs(value) >= least * 0.9995) ?? PREFIXES.at(-1);
  return `${digits(value / size)} ${prefix}${unit}`;
}
function plainNumber(value) {
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-4 || size >= 1e9) ? value.toExponential(3) : digits(value);
}
const partOf = (value, unit) => unit === "B" ? `${digits(value)} B` : withPrefix(value, unit);
const FORMS = {
  si: (value, unit) => withPrefix(value, unit),
  count: (value, unit) => `${Math.round(value).toLocaleString("en")}${unit ? ` ${unit}` : ""}`,
  number: (value, unit) => `${plainNumber(value)}${unit ? ` ${unit}` : ""}`,
};
const NONE = "–";
const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const columnOf = (name) => page.columns[name] ?? {label: name, unit: "", form: "number"};
const labelOf = (name) => columnOf(name).label;
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
function shown(name, value) {
  if (!isNumber(value)) return NONE;
  const column = columnOf(name);
  return FORMS[column.form](value, column.unit);
}
const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;

const LONGEST = 24; // characters of a name in a picture
const cut = (text, most = LONGEST) => text.length > most ? `${text.slice(0, most - 1)}…` : text;
// The first `texts` columns are text, the others numbers.
function table(head, rows, {foot = [], caption = "", className = "", texts = 1} = {}) {
  const cell = (tag) => (value, i) => value instanceof Node ? make(tag, {class: i >= texts ? "number" : null}, value)
    : make(tag, {text: value, class: i >= texts ? "number" : null, scope: tag === "th" ? "col" : null});
  const line = (values) => make("tr", {}, ...values.map((value, i) => i ? cell("td")(value, i)
    : make("th", {scope: "row", class: "name"}, value)));
  return make("table", {class: className},
    caption ? make("caption", {class: "unseen", text: caption}) : null,
    make("thead", {}, make("tr", {}, ...head.map(cell("th")))),
    make("tbody", {}, ...rows.map(line)),
    foot.length ? make("tfoot", {}, ...foot.map(line)) : null);
}
const scrolling = (label, content) => make("div", {class: "scroll", role: "region", "aria-label": label, tabindex: "0"}, content);
const missing = (text) => make("p", {class: "missing", text});
function showNotes() {
  const notes = [...new Set(page.notes)];
  const lines = notes.map((text) => make("li", {text}));
  fillWith("notes", notes.length ? make("div", {class: "notes", role: "note"}, make("ul", {}, ...lines)) : null);
}
