// Parallel coordinates: one line per member; ranges are set by dragging along an axis or with sliders.
const MOST_AXES = 8;
const SPAN = {top: 54, height: 230, bottom: 26, least: 104, edge: 66, letter: 6.4}; // pixels
const parallel = {axes: [], ranges: {}, lines: [], sliders: []};

function axesOf() {
  const wanted = [...page.objectives, page.error, "weights", "depth", "distinct_activations", "latency_s", "flash_bytes", "ram_bytes", "energy_j", "test_error", "test_score", "nodes"];
  return [...new Set(wanted)].filter((name) => page.shown.includes(name)).map((name) => {
    const values = valuesOf(name);
    const [least, most] = span(values);
    return {name, values, least, most, log: wantsLog(name, values)};
  }).filter(({values, least, most}) => most > least && values.every(isNumber)).slice(0, MOST_AXES);
}
// From a value to its share of the axis, 0 at the least and 1 at the largest value, and back.
function shareOf({least, most, log}, value) {
  return log ? Math.log(value / least) / Math.log(most / least) : (value - least) / (most - least);
}
function valueAt({least, most, log}, share) {
  return log ? least * (most / least) ** share : least + share * (most - least);
}
const rangeOf = (name) => parallel.ranges[name] ?? [0, 1];
const SLACK = 1e-9;
function within(i) {
  return parallel.axes.every((one) => {
    const [low, high] = rangeOf(one.name);
    const share = shareOf(one, one.values[i]);
    return share >= low - SLACK && share <= high + SLACK;
  });
}
function setRange(name, low, high) {
  if (low <= 0 && high >= 1) delete parallel.ranges[name];
  else parallel.ranges[name] = [Math.max(0, low), Math.min(1, high)];
  applyRanges();
}
function applyRanges() {
  const limited = Object.keys(parallel.ranges).length > 0;
  choice.inside = limited ? page.members.id.map((_, i) => within(i)) : null;
  drawParallel();
  tellRanges();
  drawFront();
  markList();
}
function drawParallel() {
  const {axes} = parallel;
  const room = byId("parallel-plot").clientWidth;
  const gap = Math.max(SPAN.least, (room - 2 * SPAN.edge) / Math.max(1, axes.length - 1));
  const width = 2 * SPAN.edge + gap * (axes.length - 1);
  const letters = Math.floor(Math.min(gap, 2 * SPAN.edge) / SPAN.letter); // of a name above its axis
  const x = (k) => SPAN.edge + k * gap;
  const y = (share) => SPAN.top + (1 - share) * SPAN.height;
  const path = (i) => `M${axes.map((one, k) => `${x(k).toFixed(1)} ${y(shareOf(one, one.values[i])).toFixed(1)}`).join("L")}`;
  parallel.lines = page.members.id.map((_, i) => draw("path", {class: `member${isInside(i) ? "" : " out"}`, d: path(i)}));
  const order = page.members.id.map((_, i) => i).sort((i, j) => isInside(i) - isInside(j));
  const label = `Parallel coordinates of ${plural(count(), "member")} over ${axes.map(({name}) => labelOf(name)).join(", ")}`;
  fillWith("parallel-plot", draw("svg", {class: "parallel", role: "img", "aria-label": label, width, height: SPAN.top + SPAN.height + SPAN.bottom}, draw("g", {}, ...order.map((i) => parallel.lines[i])), ...axes.flatMap((one, k) => axisMarks(one, x(k), y, letters))));
  markParallel();
  const open = page.members.id.filter((_, i) => isInside(i)).length;
  byId("parallel-count").textContent = choice.inside ? `${open} of ${plural(count(), "member")} within the ranges. ` : "";
  if (choice.inside) byId("parallel-count").append(make("button", {type: "button", text: "Clear the ranges", onclick: () => { parallel.ranges = {}; applyRanges(); }}));
}
function markParallel() {
  const line = parallel.lines[chosen()];
  parallel.lines.forEach((other) => other.classList.toggle("chosen", other === line));
  line?.parentNode.append(line); // over all others
}
function axisMarks(one, x, y, letters) {
  const [low, high] = rangeOf(one.name);
  const limited = one.name in parallel.ranges;
  const [first, rest] = labelOf(one.name).split(/ (?=\()/);
  const hit = draw("rect", {class: "hit", x: x - 18, y: y(1) - 6, width: 36, height: SPAN.height + 12});
  hit.addEventListener("pointerdown", (event) => brush(event, hit, one, y));
  return [draw("line", {class: "axis", x1: x, x2: x, y1: y(0), y2: y(1)}),
    draw("text", {x, y: 16, "text-anchor": "middle"}, draw("title", {text: labelOf(one.name)}), draw("tspan", {text: cut(first, letters)}), rest ? draw("tspan", {x, dy: 14, text: cut(rest, letters)}) : null),
    draw("text", {class: "tick", x, y: y(1) - 8, "text-anchor": "middle", text: shown(one.name, one.most)}),
    draw("text", {class: "tick", x, y: y(0) + 18, "text-anchor": "middle", text: shown(one.name, one.least)}),
    limited ? draw("rect", {class: "brush", x: x - 8, y: y(high) - 2, width: 16, height: Math.max(4, y(low) - y(high) + 4)}) : null, hit].filter(Boolean);
}
function brush(event, hit, one, y) {
  const {top} = hit.ownerSVGElement.getBoundingClientRect();
  const shareAt = (pointer) => Math.min(1, Math.max(0, (y(0) - (pointer.clientY - top)) / SPAN.height));
  const start = shareAt(event);
  let waiting = 0;
  const follow = (pointer) => {
    const stop = shareAt(pointer);
    const moved = Math.abs(stop - start) > 0.02;
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => setRange(one.name, moved ? Math.min(start, stop) : 0, moved ? Math.max(start, stop) : 1));
  };
  const end = (pointer) => {
    removeEventListener("pointermove", follow);
    removeEventListener("pointerup", end);
    follow(pointer);
  };
  event.preventDefault();
  addEventListener("pointermove", follow);
  addEventListener("pointerup", end);
}
// Made once: a slider must not be replaced while it is dragged.
function makeRanges() {
  parallel.sliders = parallel.axes.map(({name}) => [0, 1].map((side) => {
    const input = make("input", {type: "range", min: 0, max: 100, step: 1, "data-range": `${name} ${side}`});
    input.addEventListener("input", () => {
      const [share, other] = [input.value / 100, rangeOf(name)[1 - side]];
      setRange(name, side ? Math.min(other, share) : share, side ? share : Math.max(other, share));
    });
    return {input, told: make("output")};
  }));
  const set = ({name}, k) => make("fieldset", {}, make("legend", {text: labelOf(name)}),
    ...parallel.sliders[k].map(({input, told}, side) => make("label", {}, side ? "at most" : "at least", input, told)));
  fillWith("ranges", ...parallel.axes.map(set));
}
function tellRanges() {
  parallel.axes.forEach((one, k) => parallel.sliders[k].forEach(({input, told}, side) => {
    const share = rangeOf(one.name)[side];
    input.value = Math.round(share * 100);
    told.textContent = shown(one.name, valueAt(one, share));
    input.setAttribute("aria-valuetext", told.textContent);
  }));
}
function refreshParallel() {
  const before = parallel.axes.map(({name}) => name).join();
  parallel.axes = axesOf();
  const enough = count() > 1 && parallel.axes.length > 1;
  byId("parallel").hidden = !enough;
  if (!enough) return;
  if (parallel.axes.map(({name}) => name).join() !== before) makeRanges();
  applyRanges();
}
function startParallel() {
  refreshParallel();
  onChoice.push(markParallel);
  redraws.push(() => { if (!byId("parallel").hidden) drawParallel(); });
}
