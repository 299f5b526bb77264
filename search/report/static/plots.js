// Plotly in the colours of the page, light or dark.
const redraws = [];
const touch = matchMedia("(pointer: coarse)").matches;
const PLOT = {displayModeBar: false, displaylogo: false, doubleClick: "reset"};
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
// Plotly interprets some HTML in its texts, so names are escaped.
const plain = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const SERIES = 6;
const seriesColour = (i) => colour(`series-${i % SERIES + 1}`);
const DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];
const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "star"];

const LONGEST_TITLE = 36; // of an axis: the letters that fit the height of a plot
function axis(text, extra = {}) {
  return {title: {text: plain(cut(text, LONGEST_TITLE)), standoff: 10}, gridcolor: colour("line"), linecolor: colour("edge"),
    zerolinecolor: colour("line"), zeroline: false, showline: true, ticks: "outside", tickcolor: colour("edge"),
    ticklen: 4, automargin: true, ...extra};
}
const MOST_TICKS = 7;
// 1, 2 and 5 of every decade between two values, or 1 alone if those are too many.
function logTicks(least, most) {
  const decades = Array.from({length: Math.max(0, Math.ceil(Math.log10(most)) - Math.floor(Math.log10(least)) + 1)}, (_, k) => 10 ** (Math.floor(Math.log10(least)) + k));
  const fine = decades.flatMap((ten) => [ten, 2 * ten, 5 * ten]).filter((value) => value >= least * 0.8 && value <= most * 1.25);
  return fine.length <= MOST_TICKS ? fine : decades;
}
function axisOf(name, log, values) {
  const {label, unit, form} = columnOf(name);
  if (log) {
    const ticks = logTicks(...span(values.filter((value) => value > 0)));
    return axis(label, {type: "log", tickvals: ticks, ticktext: ticks.map((value) => shown(name, value))});
  }
  if (form === "si") return axis(label, {tickformat: "~s", ticksuffix: unit, nticks: 7});
  return axis(unit ? `${label} (${unit})` : label, {tickformat: form === "count" ? ",~r" : "", nticks: 7});
}
function plot(id, traces, layout, description) {
  const node = byId(id);
  node.setAttribute("role", "img");
  node.setAttribute("aria-label", description);
  return Plotly.react(node, traces, {
    width: node.clientWidth, height: node.clientHeight,
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: {family: getComputedStyle(document.body).fontFamily, size: 13, color: colour("text")},
    margin: {l: 56, r: 14, t: 10, b: 48}, hovermode: "closest", dragmode: touch ? false : "zoom",
    hoverlabel: {bgcolor: colour("surface"), bordercolor: colour("edge"), font: {color: colour("text"), size: 13}, align: "left"},
    legend: {orientation: "h", x: 0, xanchor: "left", y: 1.02, yanchor: "bottom", font: {size: 12}},
    uirevision: "kept", ...layout,
  }, PLOT);
}
function drawn(redraw) {
  redraws.push(redraw);
  redraw();
}
const redrawAll = () => redraws.forEach((redraw) => redraw());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
// Plotly alone follows the window a tenth of a second late, and ignores a scroll bar that appears.
const section = document.querySelector("main > section"); // as wide as all the others
let widthDrawn = section.clientWidth;
new ResizeObserver(() => {
  if (section.clientWidth === widthDrawn) return;
  widthDrawn = section.clientWidth;
  redrawAll();
}).observe(section);

// The indices of the points that no other point beats in both, in the order of their line.
function staircase(xs, ys, xDown, yDown) {
  const sign = (value, down) => down ? value : -value;
  const order = xs.map((_, i) => i).filter((i) => isNumber(xs[i]) && isNumber(ys[i]));
  order.sort((i, j) => sign(xs[i], xDown) - sign(xs[j], xDown) || sign(ys[i], yDown) - sign(ys[j], yDown));
  const best = [];
  for (const i of order) if (!best.length || sign(ys[i], yDown) < sign(ys[best.at(-1)], yDown)) best.push(i);
  return best;
}
function options(select, names, chosen) {
  select.replaceChildren(...names.map((name) => make("option", {value: name, text: labelOf(name), selected: name === chosen})));
  select.value = chosen;
}
const span = (values) => {
  const real = values.filter(isNumber);
  return real.length ? [Math.min(...real), Math.max(...real)] : [0, 0];
};
// An axis is logarithmic if its largest value is at least 6 times its smallest.
function wantsLog(name, values) {
  const [least, most] = span(values);
  return Boolean(columnOf(name).log) && least > 0 && most >= 6 * least;
}
