// Several runs side by side.
const runs = page.runs;
const front = {x: page.axes.x, y: page.axes.y, logX: false, logY: false};
const valuesOf = (run, name) => run.members.values[name] ?? [];
const allOf = (name) => runs.flatMap((run) => valuesOf(run, name));

function drawFronts() {
  const traces = runs.flatMap((run, k) => {
    const [xs, ys] = [valuesOf(run, front.x), valuesOf(run, front.y)];
    const best = staircase(xs, ys, !columnOf(front.x).higher, !columnOf(front.y).higher);
    const text = xs.map((x, i) => `<b>${plain(run.name)}</b> ${plain(run.members.name[i])}<br>${plain(labelOf(front.y))}: ${shown(front.y, ys[i])}<br>${plain(labelOf(front.x))}: ${shown(front.x, x)}`);
    const shade = seriesColour(k);
    return [{type: "scatter", mode: "markers", name: plain(cut(run.name)), legendgroup: String(k), x: xs, y: ys, hovertext: text, hoverinfo: "text", marker: {size: 9, color: shade, symbol: SYMBOLS[k % SYMBOLS.length]}},
      {type: "scatter", mode: "lines", legendgroup: String(k), showlegend: false, x: best.map((i) => xs[i]), y: best.map((i) => ys[i]), hoverinfo: "skip", line: {shape: "hv", width: 1.5, color: shade, dash: DASHES[k % DASHES.length]}}];
  });
  plot("front-plot", traces, {xaxis: axisOf(front.x, front.logX, allOf(front.x)), yaxis: axisOf(front.y, front.logY, allOf(front.y)), showlegend: true, uirevision: `${front.x} ${front.y} ${front.logX} ${front.logY}`},
    `The fronts of ${plural(runs.length, "run")}: ${labelOf(front.y)} against ${labelOf(front.x)}; the summary above has their numbers`);
}
function setAxis(which, name) {
  front[which] = name;
  const log = wantsLog(name, allOf(name));
  front[which === "x" ? "logX" : "logY"] = log;
  byId(`log-${which}`).checked = log;
}
function startAxes() {
  for (const which of ["x", "y"]) {
    setAxis(which, page.axes[which]);
    options(byId(`axis-${which}`), page.shown, front[which]);
    byId(`axis-${which}`).addEventListener("change", (event) => { setAxis(which, event.target.value); drawFronts(); });
    byId(`log-${which}`).addEventListener("change", (event) => { front[which === "x" ? "logX" : "logY"] = event.target.checked; drawFronts(); });
  }
  byId("axes").addEventListener("submit", (event) => event.preventDefault());
}
function drawVolumes() {
  const what = byId("volume-x").value;
  const traces = runs.map((run, k) => ({type: "scatter", mode: "lines", name: plain(cut(run.name)), x: over(run.history, what), y: run.volumes, line: {color: seriesColour(k), dash: DASHES[k % DASHES.length], width: 2}, hovertemplate: `${plain(run.name)}<br>${OVER[what]} %{x:.4~g}<br>hypervolume %{y:.4~g}<extra></extra>`}));
  byId("volume-text").textContent = page.volumes;
  plot("volume-plot", traces, {xaxis: axis(OVER[what]), yaxis: axis("hypervolume"), showlegend: true, uirevision: what}, `Hypervolume of ${plural(runs.length, "run")} by ${OVER[what]}. ${page.volumes}`);
}
function named(run, k) {
  const swatch = make("span", {class: "swatch", "aria-hidden": "true"});
  swatch.style.background = `var(--series-${k % SERIES + 1})`;
  return make("span", {}, swatch, run.name);
}
function summary() {
  const head = ["Run", "Status", "Data", ...page.summary.map(({label}) => label)];
  const best = page.summary.map(({better}, c) => {
    const values = runs.map((run) => run.summary[c]).filter(isNumber);
    return better && values.length > 1 ? Math[better === "more" ? "max" : "min"](...values) : NaN;
  });
  const cell = (run, c) => {
    const {column, unit} = page.summary[c];
    const text = column ? shown(column, run.summary[c]) : isNumber(run.summary[c]) ? `${plainNumber(run.summary[c])}${unit ? ` ${unit}` : ""}` : NONE;
    return run.summary[c] === best[c] ? make("strong", {text, title: "the best of these runs"}) : text;
  };
  const rows = runs.map((run, k) => [named(run, k), run.status, run.metric ? `${run.source}, ${run.metric}` : run.source, ...page.summary.map((_, c) => cell(run, c))]);
  return scrolling("Summary of the runs", table(head, rows, {caption: "Summary of the runs", className: "wide", texts: 3}));
}
function differences() {
  if (!page.differences.length) return make("p", {text: "The configs are the same, except for run.out."});
  const rows = page.differences.map(([key, values]) => [key, ...values]);
  return scrolling("Differences of the configs", table(["Key", ...runs.map((run) => run.name)], rows, {caption: "Keys that differ", texts: runs.length + 1}));
}
function start() {
  byId("name").textContent = page.name;
  byId("facts").textContent = runs.map((run) => run.name).join(" · ");
  showNotes();
  fillWith("summary-body", summary());
  byId("summary-text").textContent = page.about;
  fillWith("differences-body", differences());
  if (!page.shown.length) fillWith("fronts", missing("The runs have no quantity in common."));
  else { startAxes(); drawn(drawFronts); }
  byId("volume-x").addEventListener("change", drawVolumes);
  drawn(drawVolumes);
}
start();
