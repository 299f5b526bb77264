// A tree as SVG: inputs at the bottom, edge width by |weight|, sign by colour and dash, node colour by activation.
const lookOf = (task, name) => [task.letters[name] ?? "?", task.colours[name] ?? "#dddddd"];
const [TOP, LEAST_STEP, MOST_STEP, LEAST_SCALE] = [44, 20, 70, 0.8];
const signed = (value) => plainNumber(value).replace("-", "−");

function parentsOf(depth) {
  const last = [];
  return depth.map((level, i) => { last[level] = i; return level ? last[level - 1] : -1; });
}
function outputName(task, k) {
  if (task.kind === "multiclass") return task.classes[k];
  return task.kind === "binary" ? `→ ${task.classes[1]}` : page.test.summary?.target ?? "prediction";
}
const nameOf = (task, op) => op >= 0 ? task.features[op] : task.activations[-op - 1];

function outline(tree, task) {
  let output = 0;
  return tree.depth.map((level, i) => {
    const op = tree.op[i];
    const inner = op < 0 ? `, bias ${signed(tree.bias[i])}` : "";
    const what = level ? `${signed(tree.weight[i])} × ${nameOf(task, op)}` : `${outputName(task, output++)}: ${nameOf(task, op)}`;
    return "  ".repeat(level) + what + inner;
  }).join("\n");
}
function describe(tree, task) {
  const leaves = tree.op.filter((op) => op >= 0);
  const read = [...new Set(leaves)].map((op) => task.features[op]);
  return `Tree of ${plural(tree.op.length, "node")}, depth ${Math.max(...tree.depth)}, reading ${plural(read.length, "feature")}: ${read.join(", ")}.`;
}
function geometry(tree, task, room) {
  const [left, right] = span(tree.x);
  const names = tree.op.filter((op) => op >= 0).map((op) => cut(task.features[op]));
  const longest = Math.max(1, ...names.map((name) => name.length)) * 6.6;
  const outputs = tree.depth.filter((level) => !level).map((_, k) => cut(outputName(task, k)).length);
  const least = Math.max(48, Math.max(...outputs) * 3.8); // half the width of an output's name
  const step = Math.max(LEAST_STEP, Math.min(MOST_STEP, (room - 60) / (right - left + 1)));
  const flat = longest < step - 8;
  const top = Math.max(...tree.y);
  const [row, margin, end] = [top > 4 ? 60 : 74, Math.max(least, flat ? longest / 2 : longest * 0.67 + 4), Math.max(least, flat ? longest / 2 : 0)];
  const at = (i) => [margin + (tree.x[i] - left) * step, TOP + (top - tree.y[i]) * row];
  return {at, flat, row, radius: Math.max(9.5, Math.min(14, step / 2 - 1)), width: margin + (right - left) * step + end, height: TOP + top * row + (flat ? 40 : 30 + longest * 0.74)};
}
function edges(tree, at, row) {
  const parent = parentsOf(tree.depth);
  const most = Math.max(1e-12, ...tree.weight.map((w, i) => tree.depth[i] ? Math.abs(w) : 0));
  return tree.depth.map((level, i) => {
    if (!level) return null;
    const [[x0, y0], [x1, y1]] = [at(parent[i]), at(i)];
    const weight = tree.weight[i];
    const d = `M${x0} ${y0}L${x1} ${y0 + row}L${x1} ${y1}`;
    return draw("path", {class: `edge ${weight < 0 ? "minus" : "plus"}`, d, "stroke-width": (0.8 + 5 * Math.abs(weight) / most).toFixed(2)},
      draw("title", {text: `weight ${signed(weight)}`}));
  });
}
function leafMark(tree, task, i, [x, y], flat) {
  const name = task.features[tree.op[i]];
  const turned = flat ? {x, y: y + 24, "text-anchor": "middle"} : {"text-anchor": "end", transform: `translate(${x + 4} ${y + 18}) rotate(-48)`};
  return draw("g", {}, draw("title", {text: `${name}, weight ${signed(tree.weight[i])}`}),
    draw("rect", {class: "leaf", x: x - 5, y: y - 5, width: 10, height: 10, rx: 2}), draw("text", {...turned, text: cut(name)}));
}
function nodeMark(tree, task, i, [x, y], radius, label) {
  const name = nameOf(task, tree.op[i]);
  const [mark, fill] = lookOf(task, name);
  return draw("g", {}, draw("title", {text: `${name}, bias ${signed(tree.bias[i])}${label ? "" : `, weight ${signed(tree.weight[i])}`}`}),
    draw("circle", {class: "node", cx: x, cy: y, r: radius, fill}), draw("text", {class: "inside", x, y, text: mark}),
    label ? draw("text", {class: "output", x, y: y - radius - 8, text: cut(label)}) : null);
}
function legend(tree, task) {
  const used = [...new Set(tree.op.filter((op) => op < 0))].map((op) => nameOf(task, op));
  const key = (text, ...content) => make("span", {}, draw("svg", {width: 26, height: 20, "aria-hidden": "true"}, ...content), text);
  const line = (kind) => draw("line", {class: `edge ${kind}`, x1: 0, x2: 26, y1: 10, y2: 10, "stroke-width": 3});
  const dot = ([mark, fill]) => [draw("circle", {class: "node", cx: 13, cy: 10, r: 9, fill}), draw("text", {class: "inside", x: 13, y: 10, text: mark})];
  return make("div", {class: "legend"}, key("positive weight", line("plus")), key("negative weight", line("minus")), ...used.map((name) => key(name, ...dot(lookOf(task, name)))));
}
function treeFigure(tree, task, name, room) {
  const {at, flat, row, radius, width, height} = geometry(tree, task, room);
  const scale = Math.max(LEAST_SCALE, Math.min(1, room / width));
  let output = 0;
  const marks = tree.op.map((op, i) => op >= 0 ? leafMark(tree, task, i, at(i), flat) : nodeMark(tree, task, i, at(i), radius, tree.depth[i] ? "" : outputName(task, output++)));
  const picture = draw("svg", {id: "tree-picture", role: "img", "aria-labelledby": "tree-name tree-text", width: width * scale, height: height * scale, viewBox: `0 0 ${width} ${height}`},
    draw("title", {id: "tree-name", text: `The tree of member ${name}`}), draw("desc", {id: "tree-text", text: describe(tree, task)}), ...edges(tree, at, row), ...marks);
  return make("figure", {}, make("div", {class: "tree scroll", tabindex: "0", role: "region", "aria-label": "Drawing of the tree"}, picture), legend(tree, task),
    make("details", {}, make("summary", {text: "The tree as text"}), make("pre", {class: "scroll", tabindex: "0", text: outline(tree, task)})));
}
