// The front: two quantities against each other, and the list of its members.
const front = {x: page.axes.x, y: page.axes.y, logX: false, logY: false};
const STATUS = {ok: "", evolving: "", not_refitted: "not trained on all rows"};

function sorted() {
  const xs = valuesOf(front.x);
  return xs.map((_, i) => i).filter((i) => isNumber(xs[i])).sort((i, j) => xs[i] - xs[j]);
}
function hover(i) {
  const names = [...new Set([front.y, front.x, page.error, ...page.objectives, "test_error", "test_score", "weights"])];
  const lines = names.filter((name) => isNumber(valueOf(name, i))).map((name) => `${plain(labelOf(name))}: ${shown(name, valueOf(name, i))}`);
  return `<b>Member ${plain(page.members.name[i])}</b><br>${lines.join("<br>")}`;
}
function points(name, indices, extra) {
  return {type: "scatter", mode: "markers", name, x: indices.map((i) => valueOf(front.x, i)), y: indices.map((i) => valueOf(front.y, i)),
    customdata: indices, hovertext: indices.map(hover), hoverinfo: "text", ...extra};
}
function ring(name, i, shade, size) {
  return points(name, [i], {hoverinfo: "skip", marker: {symbol: "circle-open", size, color: shade, line: {width: 2.5, color: shade}}});
}
function stairs(all) {
  const best = staircase(valuesOf(front.x), valuesOf(front.y), !columnOf(front.x).higher, !columnOf(front.y).higher).filter((i) => all.includes(i));
  // Horizontal, then vertical: between two points, the best known error is that of the cheaper model.
  return points("", best, {mode: "lines", line: {shape: "hv", width: 1.5, color: colour("accent")}, opacity: 0.7, hoverinfo: "skip", showlegend: false});
}
function measured(all) {
  const column = `measured_${front.x}`;
  const there = all.filter((i) => isNumber(valueOf(column, i)));
  if (!there.length) return [];
  const xs = there.map((i) => valueOf(column, i));
  const texts = there.map((i) => `Member ${plain(page.members.name[i])}<br>${plain(labelOf(column))}: ${shown(column, valueOf(column, i))}`);
  return [points("measured", there, {x: xs, hovertext: texts, marker: {symbol: "line-ns-open", size: 11, color: colour("text"), line: {width: 2, color: colour("text")}}})];
}
function rivals() {
  const there = drawnRivals();
  if (!there.length) return [];
  const text = (row) => `<b>${plain(row.label)}</b> (baseline)<br>${plain(labelOf(front.y))}: ${shown(front.y, row.values[front.y])}<br>${plain(labelOf(front.x))}: ${shown(front.x, row.values[front.x])}`;
  return [{type: "scatter", mode: "markers+text", name: "baselines", x: there.map((row) => row.values[front.x]), y: there.map((row) => row.values[front.y]),
    text: there.map(() => BLANK), textfont: {size: LABEL, color: colour("rival")},
    hovertext: there.map(text), hoverinfo: "text", marker: {symbol: "diamond", size: 10, color: colour("rival")}}];
}
const drawnRivals = () => page.baselines.filter(({values}) => isNumber(values[front.x]) && isNumber(values[front.y]));
const everyones = (name) => [...valuesOf(name), ...page.baselines.map(({values}) => values[name])];
function drawFront() {
  const all = sorted().filter((i) => isNumber(valueOf(front.y, i)));
  const now = chosen();
  const traces = [stairs(all), ...measured(all),
    points("members", all, {marker: {size: all.length > 200 ? 6 : 9, color: colour("accent"), opacity: all.map((i) => isInside(i) ? 0.95 : 0.15)}}),
    ...rivals()];
  if (all.includes(page.recommended)) traces.push(ring("recommended", page.recommended, colour("good"), 17));
  if (all.includes(now)) traces.push(ring("chosen", now, colour("minus"), 24));
  const [xs, ys] = [front.x, front.y].map((name) => span(valuesOf(name)).map((value) => shown(name, value)).join(" to "));
  plot("front-plot", traces, {xaxis: axisOf(front.x, front.logX, everyones(front.x)), yaxis: axisOf(front.y, front.logY, everyones(front.y)), uirevision: `${front.x} ${front.y} ${front.logX} ${front.logY}`},
    `${plural(all.length, "member")} of the front: ${labelOf(front.y)} from ${ys} against ${labelOf(front.x)} from ${xs}; the list below has the same numbers`).then(labelRivals);
}
function listed() {
  const names = [page.error, ...page.objectives, "test_error", "test_score", "int8_test_score", "weights"];
  return [...new Set(names)].filter((name) => page.shown.includes(name));
}
function drawList() {
  const held = byId("list").contains(document.activeElement);
  const names = listed();
  const head = make("tr", {}, make("th", {scope: "col", text: "Member"}), ...names.map((name) => make("th", {scope: "col", class: "number", text: capital(labelOf(name))})));
  const rows = page.members.id.map((id, i) => {
    const radio = make("input", {type: "radio", name: "member", value: id, id: `pick-${id}`, onchange: () => choose(page.members.id.indexOf(id))});
    const label = make("label", {}, radio, page.members.name[i] + (i === page.recommended ? " (recommended)" : ""));
    return make("tr", {onclick: () => choose(page.members.id.indexOf(id))}, make("td", {}, label), ...names.map((name) => make("td", {class: "number", text: shown(name, valueOf(name, i))})));
  });
  fillWith("list", make("table", {}, make("caption", {class: "unseen", text: "Members of the front"}), make("thead", {}, head), make("tbody", {}, ...rows)));
  markList();
  if (held) byId(`pick-${choice.id}`)?.focus();
}
function markList() {
  const now = chosen();
  byId("list").querySelectorAll("tbody tr").forEach((row, i) => {
    row.classList.toggle("chosen", i === now);
    row.hidden = !isInside(i);
    row.querySelector("input").checked = i === now;
  });
}
// Scrolls the list alone: scrollIntoView would move the page as well.
function reveal() {
  const list = byId("list");
  const row = list.querySelectorAll("tbody tr")[chosen()];
  const head = list.querySelector("thead").offsetHeight;
  if (row.offsetTop - head < list.scrollTop) list.scrollTop = row.offsetTop - head;
  if (row.offsetTop + row.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = row.offsetTop + row.offsetHeight - list.clientHeight;
}
function setAxis(which, name) {
  front[which] = name;
  const log = wantsLog(name, everyones(name));
  front[which === "x" ? "logX" : "logY"] = log;
  byId(`log-${which}`).checked = log;
}
const POSITION = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity};
function keys(event) {
  if (event.key in POSITION) step(POSITION[event.key], sorted());
  else if (event.key === "Enter") byId("member-title").focus();
  else return;
  event.preventDefault();
}
function startFront() {
  for (const which of ["x", "y"]) {
    setAxis(which, page.axes[which]);
    options(byId(`axis-${which}`), page.shown, front[which]);
    byId(`axis-${which}`).addEventListener("change", (event) => { setAxis(which, event.target.value); drawFront(); });
    byId(`log-${which}`).addEventListener("change", (event) => { front[which === "x" ? "logX" : "logY"] = event.target.checked; drawFront(); });
  }
  byId("axes").addEventListener("submit", (event) => event.preventDefault());
  byId("front-keys").addEventListener("keydown", keys);
  byId("previous").addEventListener("click", () => step(-1, sorted()));
  byId("next").addEventListener("click", () => step(1, sorted()));
  drawn(drawFront);
  byId("front-plot").on("plotly_click", ({points: [point]}) => { if (isNumber(point.customdata)) choose(point.customdata); });
  byId("front-plot").on("plotly_relayout", labelRivals);
  drawList();
  if (location.hash === `#member-${choice.id}`) reveal();
  onChoice.push(drawFront, markList, reveal);
}
