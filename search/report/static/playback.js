// Recordings played through a model: one timeline at a time, and how good all decisions are.
const BANDS = ["label", "window", "reported", "wrong", "events"]; // from above
const [BAND, LANE, AIR] = [30, 74, 12]; // pixels: of a band, of a channel, between two
const PATTERNS = ["", "/", ".", "x"]; // of the first six classes, of the next six, and so on
const percent = (share) => isNumber(share) ? `${(100 * share).toFixed(1)} %` : NONE;
const nameOf = (code) => code === page.unknown ? "unknown" : page.classes[code];
const looksOf = (code) => code === page.unknown ? {color: colour("edge"), pattern: {fillmode: "overlay", shape: "\\", fgcolor: colour("page"), size: 6}}
  : {color: seriesColour(code), pattern: {fillmode: "overlay", shape: PATTERNS[Math.floor(code / SERIES) % PATTERNS.length], fgcolor: colour("page"), size: 6}};
const recordingNow = () => page.recordings[Number(byId("recording").value)];

function bars(recording) {
  const rows = BANDS.slice(0, 3).flatMap((band, row) => recording[band].map((stretch) => [row, ...stretch]));
  const codes = [...new Set(rows.map(([, , , code]) => code))].sort((a, b) => a - b);
  return codes.map((code) => {
    const of = rows.filter((row) => row[3] === code);
    const name = plain(cut(nameOf(code)));
    return {type: "bar", orientation: "h", name, y: of.map(([row]) => row), base: of.map(([, first]) => first), x: of.map(([, first, last]) => last - first), width: 0.8,
      text: name, textposition: "inside", insidetextanchor: "start", textangle: 0, insidetextfont: {color: colour("page"), size: 12}, constraintext: "inside",
      marker: {...looksOf(code), line: {width: 0}}, hoverinfo: "text",
      hovertext: of.map(([row, first, last]) => `${BANDS[row]}: <b>${plain(nameOf(code))}</b><br>${first.toFixed(2)} to ${last.toFixed(2)} s`)};
  });
}
function wrongBars(recording) {
  const rows = recording.wrong;
  return {type: "bar", orientation: "h", showlegend: false, y: rows.map(() => 3), base: rows.map(([first]) => first), x: rows.map(([first, last]) => last - first), width: 0.8,
    marker: {color: colour("minus"), line: {width: 0}}, hoverinfo: "text", hovertext: rows.map(([first, last]) => `wrong, ${first.toFixed(2)} to ${last.toFixed(2)} s`)};
}
function eventMarks(recording) {
  return {type: "scatter", mode: "markers", showlegend: false, x: recording.events.map(([at]) => at), y: recording.events.map(() => 4), cliponaxis: false,
    marker: {symbol: "triangle-down", size: 13, color: recording.events.map(([, code]) => looksOf(code).color), line: {color: colour("text"), width: 1}},
    hoverinfo: "text", hovertext: recording.events.map(([at, code]) => `event: <b>${plain(nameOf(code))}</b><br>${at.toFixed(2)} s`)};
}
function lane(recording, {low, unit, steps}, k) {
  return {type: "scatter", mode: "lines", showlegend: false, yaxis: `y${k + 2}`, x: steps.map((_, i) => recording.start_s + i * recording.step_s), y: steps.map((step) => low + unit * step),
    line: {color: colour("accent"), width: 1}, hovertemplate: `${plain(page.channels[k])}: %{y:.4~g}<br>%{x:.2f} s<extra></extra>`};
}
function drawTimeline() {
  const recording = recordingNow();
  if (!recording) return fillWith("timeline", missing("There is no recording."));
  const lanes = recording.signal.length;
  const inner = BANDS.length * BAND + lanes * (LANE + AIR);
  const node = byId("timeline-plot");
  node.style.height = `${inner + 110}px`;
  const layout = {barmode: "overlay", showlegend: true, margin: {l: 84, r: 14, t: 54, b: 48}, uniformtext: {mode: "hide", minsize: 11}, uirevision: byId("recording").value,
    xaxis: axis("time (s)", {range: [0, recording.seconds], anchor: lanes ? `y${lanes + 1}` : "y"}),
    yaxis: axis("", {domain: [1 - BANDS.length * BAND / inner, 1], range: [BANDS.length - 0.5, -0.5], tickvals: BANDS.map((_, i) => i), ticktext: BANDS, fixedrange: true, ticks: "", showgrid: false})};
  recording.signal.forEach((_, k) => {
    const top = inner - BANDS.length * BAND - k * (LANE + AIR) - AIR;
    layout[`yaxis${k + 2}`] = axis("", {domain: [(top - LANE) / inner, top / inner], fixedrange: true, nticks: 4, title: {text: plain(cut(page.channels[k], 9)), standoff: 6, font: {size: 12}}});
  });
  plot("timeline-plot", [...bars(recording), wrongBars(recording), eventMarks(recording), ...recording.signal.map((signal, k) => lane(recording, signal, k))], layout,
    `Timeline of ${recording.name}: ${recording.wrong_count} of ${recording.labelled} windows with a label are wrong, ${plural(recording.events.length, "event")}`);
  byId("recording-text").textContent = aboutRecording(recording);
}
function aboutRecording(recording) {
  return [`${recording.seconds.toFixed(1)} s`, recording.subject ? `subject ${recording.subject}` : "", plural(recording.decisions, "decision"),
    recording.labelled ? `${recording.wrong_count} of ${recording.labelled} windows with a label are wrong` : "no labels", recording.decisions ? "" : "shorter than a window",
    plural(recording.events.length + recording.left_out, "event"), recording.left_out ? `the last ${recording.left_out} of them are not drawn` : "",
    page.hidden_channels ? `${plural(page.hidden_channels, "more channel")} not drawn` : ""].filter(Boolean).join(" · ");
}
function startChoice() {
  const select = byId("recording");
  select.replaceChildren(...page.recordings.map(({name, labelled, wrong_count: wrong}, i) => make("option", {value: i, text: labelled ? `${cut(name, 60)} · ${percent(1 - wrong / labelled)} right` : cut(name, 60)})));
  select.value = page.chosen;
  const move = (by) => () => {
    select.selectedIndex = (select.selectedIndex + by + page.recordings.length) % page.recordings.length;
    drawTimeline();
  };
  select.addEventListener("change", drawTimeline);
  byId("before").addEventListener("click", move(-1));
  byId("after").addEventListener("click", move(1));
  byId("choice").addEventListener("submit", (event) => event.preventDefault());
}
function confusion() {
  const sum = (row) => row.reduce((total, n) => total + n, 0);
  const rows = page.confusion.map((row, r) => make("tr", {}, make("th", {scope: "row", text: page.classes[r]}), ...row.map((value, c) => {
    const cell = make("td", {class: r === c ? "right" : null, text: value, title: `${page.classes[r]} taken for ${page.classes[c]}`});
    if (value) cell.style.background = `rgba(var(--tint), ${(0.06 + 0.3 * value / sum(row)).toFixed(3)})`;
    return cell;
  }), make("td", {text: sum(row) ? percent(row[r] / sum(row)) : NONE})));
  const heads = ["label", ...page.classes.map((label) => `as ${label}`), "right"];
  return scrolling("Confusion matrix", make("table", {class: "matrix"}, make("caption", {class: "unseen", text: "Windows by label, down, and class, across"}),
    make("thead", {}, make("tr", {}, ...heads.map((text, i) => make("th", {scope: "col", text, class: i ? "number" : null})))), make("tbody", {}, ...rows)));
}
function windows() {
  if (!isNumber(page.accuracy)) return [missing("No window has a label that is a class of the model, so nothing can be scored.")];
  const [right, of] = page.whole;
  byId("windows-text").textContent = `${percent(page.accuracy)} of the windows with a label are right.${of ? ` Of recordings with one label, ${right} of ${of} are right by the most frequent class.` : ""}`;
  return [confusion()];
}
function subjects() {
  if (!page.subjects.length) return missing("No subject has a window with a label.");
  const rows = page.subjects.map(([name, right, of]) => [name, percent(right / of), of - right, of]);
  const made = scrolling("Subjects", table(["Subject, or recording of unknown subject", "Right", "Wrong windows", "Windows"], rows, {caption: "Right windows by subject, the worst first"}));
  made.classList.add("list");
  made.style.maxHeight = "420px";
  return made;
}
function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}
function events() {
  const of = page.events;
  if (!of.labelled) return missing("There is no label, so events cannot be scored.");
  const delays = of.delays_s;
  const seconds = (value) => `${value.toFixed(2)} s`;
  return factTable([["Stretches of a label that are found", `${of.found} of ${of.spans}`], ...(delays.length ? [["Median delay", seconds(quantile(delays, 0.5))], ["Delay of nine in ten at most", seconds(quantile(delays, 0.9))], ["Longest delay", seconds(Math.max(...delays))]] : []),
    ["False alarms", String(of.false_alarms)], ["Labelled time", `${digits(of.hours)} h`], ["False alarms per hour", of.per_hour.toFixed(2)], ["The label is reported for", `${percent(of.accuracy)} of the time`]]);
}
function drawDelays() {
  plot("delays-plot", [{type: "histogram", x: page.events.delays_s, marker: {color: colour("accent"), line: {color: colour("page"), width: 1}}, hovertemplate: "%{x} s: %{y}<extra></extra>"}],
    {xaxis: axis("delay (s)", {rangemode: "tozero"}), yaxis: axis("stretches", {rangemode: "tozero", tickformat: ",d", tick0: 0, dtick: Math.max(1, Math.ceil(page.events.delays_s.length / 5))}), bargap: 0}, `Delays of ${page.events.delays_s.length} stretches that are found; the table has their figures`);
}
function start() {
  byId("name").textContent = page.name;
  byId("facts").textContent = page.facts.join(" · ");
  showNotes();
  startChoice();
  fillWith("confusion", ...windows());
  fillWith("subjects-body", subjects());
  fillWith("events-body", events());
  drawn(drawTimeline);
  if (page.events.delays_s.length) drawn(drawDelays);
  else byId("delays-plot").replaceWith(make("p", {class: "hint", text: "No stretch is found, so there is no delay."}));
}
start();
