// The course of the search: hypervolume, and the time of each phase.
const PHASES = [["seconds_train", "train"], ["seconds_vary", "vary"], ["seconds_cost", "cost"], ["seconds_select", "select"], ["seconds_save", "save"]];
const past = () => page.history.generation ?? [];

function seconds(columns) {
  let sum = 0;
  return (columns.generation ?? []).map((_, g) => { for (const [name] of PHASES) sum += columns[name]?.[g] ?? 0; return sum; });
}
const over = (columns, what) => what === "seconds" ? seconds(columns) : columns[what] ?? [];
const OVER = {generation: "generation", evaluations: "trees evaluated", seconds: "seconds of work"};

function drawVolume() {
  const what = byId("volume-x").value;
  const volumes = page.history.hypervolume ?? [];
  const known = volumes.filter(isNumber);
  const text = known.length ? `From ${plainNumber(known[0])} to ${plainNumber(known.at(-1))} in ${plural(past().length - 1, "generation")} and ${plural((page.history.evaluations ?? []).at(-1) ?? 0, "tree")}` : "No hypervolume yet";
  const to = page.reference?.length ? `, up to the reference point ${page.reference.map((value, k) => shown(page.objectives[k], value)).join(", ")}` : "";
  byId("volume-text").textContent = `${text}${to}.`;
  plot("volume-plot", [{type: "scatter", mode: known.length < 60 ? "lines+markers" : "lines", x: over(page.history, what), y: volumes, line: {color: colour("accent"), width: 2}, marker: {size: 5}, hovertemplate: `${OVER[what]} %{x:.4~g}<br>hypervolume %{y:.4~g}<extra></extra>`}],
    {xaxis: axis(OVER[what], what === "generation" ? {tickformat: "d"} : {}), yaxis: axis("hypervolume"), showlegend: false, uirevision: what}, `Hypervolume by ${OVER[what]}. ${byId("volume-text").textContent}`);
}
function drawTime() {
  const totals = PHASES.map(([name, label]) => [label, (page.history[name] ?? []).reduce((sum, value) => sum + (value ?? 0), 0)]);
  const all = totals.reduce((sum, [, value]) => sum + value, 0);
  const shares = totals.map(([label, value]) => `${label} ${plainNumber(value)} s (${(100 * value / Math.max(all, 1e-12)).toFixed(0)} %)`);
  byId("time-text").textContent = `${plainNumber(all)} s over all generations: ${shares.join(", ")}.`;
  const traces = PHASES.map(([name, label], i) => ({type: "bar", name: label, x: past(), y: page.history[name] ?? [], marker: {color: seriesColour(i), line: {width: 0}}, hovertemplate: `generation %{x}<br>${label} %{y:.3~g} s<extra></extra>`}));
  plot("time-plot", traces, {barmode: "stack", bargap: 0.15, xaxis: axis("generation", {tickformat: "d"}), yaxis: axis("seconds")}, `Seconds of each generation by phase. ${byId("time-text").textContent}`);
}
function startHistory() {
  byId("volume-x").addEventListener("change", drawVolume);
  if (past().length) { drawn(drawVolume); drawn(drawTime); }
  else byId("search-body").before(missing("There is no history yet: the first generation is not complete."));
  byId("search-body").hidden = !past().length;
}
