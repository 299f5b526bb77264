// The chosen member: its tree, its numbers, its cost in parts, its results on the test rows, and how to use it.
const COSTS = ["latency_s", "flash_bytes", "ram_bytes", "energy_j"];
const NO_MODEL = "The model file of this member cannot be read.";
let [room, last] = [0, ""]; // the width that the tree was drawn for, and what was drawn

function drawMember() {
  const i = chosen();
  if (i < 0) return;
  const name = page.members.name[i];
  const said = STATUS[page.members.status[i]] ?? page.members.status[i].replaceAll("_", " ");
  byId("member-title").textContent = `Member ${name}${i === page.recommended ? " · recommended" : ""}${said ? ` · ${said}` : ""}`;
  drawTree(i, name);
  fillWith("metrics", metrics(i));
  if (!page.final) return;
  fillWith("terms", terms(i));
  drawTest(i);
  fillWith("lines", ...uses(i));
}
function drawTree(i, name) {
  const tree = page.task.features ? page.trees[i] : null;
  room = byId("tree").clientWidth;
  const now = JSON.stringify([name, room, tree]);
  if (now === last) return; // a live page keeps opened details and the focus
  last = now;
  if (tree) fillWith("tree", treeFigure(tree, page.task, name, room), page.final ? null : make("p", {class: "hint", text: "Drawn with the weights of the first fold. Test results and the model appear here when the run is complete."}));
  else fillWith("tree", page.final ? missing(NO_MODEL) : make("p", {class: "hint", text: "The tree, test results and the model appear here when the run is complete."}));
}
function metrics(i) {
  const names = page.shown.filter((name) => !name.startsWith("measured_") && isNumber(valueOf(name, i)));
  const measured = names.some((name) => isNumber(valueOf(`measured_${name}`, i)));
  const rows = names.map((name) => [capital(labelOf(name)), shown(name, valueOf(name, i)), ...(measured ? [isNumber(valueOf(`measured_${name}`, i)) ? shown(name, valueOf(`measured_${name}`, i)) : ""] : [])]);
  return table(["Quantity", measured ? "Value or prediction" : "Value", ...(measured ? ["Measured"] : [])], rows, {caption: "All quantities of the member"});
}
function terms(i) {
  const place = page.terms.position?.[i];
  if (!page.device) return make("p", {class: "hint", text: page.terms.missing});
  if (!page.terms.costs || !isNumber(place)) return missing(page.terms.missing ?? NO_MODEL);
  const all = [...new Set(COSTS.flatMap((cost) => Object.keys(page.terms.costs[cost])))];
  const part = (cost, term) => page.terms.costs[cost][term]?.[place] ?? 0;
  const cell = (cost, value) => value ? partOf(value, columnOf(cost).unit) : "";
  const rows = all.filter((term) => COSTS.some((cost) => part(cost, term))).map((term) => [term.replaceAll("_", " "), ...COSTS.map((cost) => cell(cost, part(cost, term)))]);
  const total = ["together", ...COSTS.map((cost) => cell(cost, all.reduce((sum, term) => sum + part(cost, term), 0)))];
  return make("div", {}, make("p", {class: "hint", text: `Predicted for ${page.device}. ${page.terms.note}`}),
    scrolling("Parts of the cost", table(["Part", ...COSTS.map((cost) => capital(labelOf(cost)))], rows, {foot: [total]})));
}
function drawTest(i) {
  const test = page.test;
  if (test.missing) return fillWith("test", missing(test.missing));
  const counts = test.matrices?.[i] ? matrix(test.matrices[i], page.task.classes) : test.confused?.[i] ? confused(test.confused[i], page.task.classes) : null;
  if (counts) classified(counts, test.reliability[i]);
  else if (test.predicted?.[i]) residuals(test.target, test.predicted[i], test.of);
  else return fillWith("test", missing(NO_MODEL));
  byId("coverage").textContent = test.coverage[i] ?? "";
}
const note = () => make("div", {}, make("p", {class: "hint", id: "coverage"}), make("p", {class: "hint", text: "Test rows are scored once, at the end, with the float model. Choose members without them, and use these results only as a check."}));
function matrix(counts, classes) {
  const share = (row, value) => value / Math.max(1, row.reduce((sum, n) => sum + n, 0));
  const cell = (r, value, c) => make("td", {class: r === c ? "right" : null, text: value, title: `${classes[r]} predicted as ${classes[c]}`});
  const rows = counts.map((row, r) => make("tr", {}, make("th", {scope: "row", text: classes[r]}), ...row.map((value, c) => {
    const made = cell(r, value, c);
    made.style.background = value ? `rgba(var(--tint), ${(0.06 + 0.3 * share(row, value)).toFixed(3)})` : "";
    return made;
  }), make("td", {text: `${(100 * share(row, row[r])).toFixed(1)} %`})));
  const heads = ["true class", ...classes.map((label) => `as ${label}`), "correct"];
  const made = make("table", {class: "matrix"}, make("caption", {class: "unseen", text: "Confusion matrix on the test rows: true classes down, predicted across"}),
    make("thead", {}, make("tr", {}, ...heads.map((text, c) => make("th", {scope: "col", text, class: c ? "number" : null})))), make("tbody", {}, ...rows));
  return scrolling("Confusion matrix", made);
}
function confused(cells, classes) {
  if (!cells.length) return make("p", {text: "No test row is misclassified."});
  return scrolling("Largest confusions", table(["True class", "Predicted class", "Rows"], cells.map(([r, c, n]) => [classes[r], classes[c], n]), {caption: "The most frequent confusions", texts: 2}));
}
function classified(counts, reliability) {
  if (!reliability) return fillWith("test", counts, note());
  const {brier, points} = reliability;
  fillWith("test", counts, make("div", {id: "reliability", class: "plot"}), make("p", {class: "hint", id: "reliability-text"}), note());
  const of = page.task.classes.length > 2 ? "the predicted class" : page.task.classes[1];
  const text = `Reliability: among the test rows to which the model gives a probability of ${of} in the same tenth, the share of rows of that class. On the diagonal, probabilities are right. Brier score ${plainNumber(brier)}.`;
  byId("reliability-text").textContent = text;
  const rows = points.map(([, , n]) => n);
  const most = Math.max(...rows);
  plot("reliability", [
    {type: "scatter", mode: "lines", x: [0, 1], y: [0, 1], hoverinfo: "skip", line: {color: colour("edge"), dash: "dash", width: 1.5}},
    {type: "scatter", mode: "lines+markers", x: points.map(([said]) => said), y: points.map(([, share]) => share), customdata: rows, hovertemplate: "probability %{x:.2f}<br>share %{y:.2f}<br>%{customdata} rows<extra></extra>", line: {color: colour("accent")}, marker: {size: rows.map((n) => 6 + 10 * Math.sqrt(n / most)), color: colour("accent")}},
  ], {xaxis: axis(`probability of ${of}`, {range: [-0.03, 1.03]}), yaxis: axis("share of rows", {range: [-0.05, 1.05]}), showlegend: false}, text);
}
function residuals(target, predicted, of) {
  if (!byId("residuals")) fillWith("test", make("div", {id: "residuals", class: "plot"}), make("p", {class: "hint", id: "residuals-text"}), note());
  const left = target.map((value, i) => value - predicted[i]);
  const mean = left.reduce((sum, value) => sum + value, 0) / left.length;
  const deviation = Math.sqrt(left.reduce((sum, value) => sum + (value - mean) ** 2, 0) / left.length);
  const rows = left.length < of ? `${left.length} of ${of.toLocaleString("en")} test rows, drawn at random` : plural(of, "test row");
  byId("residuals-text").textContent = `${rows}. Residual = true − predicted: mean ${signed(mean)}, standard deviation ${plainNumber(deviation)}.`;
  plot("residuals", [{type: "scatter", mode: "markers", x: predicted, y: left, hovertemplate: "predicted %{x:.4~g}<br>residual %{y:.4~g}<extra></extra>", marker: {size: 6, color: colour("accent"), opacity: 0.6}}],
    {xaxis: axis("predicted"), yaxis: axis("residual", {zeroline: true, zerolinecolor: colour("edge"), zerolinewidth: 1.5}), showlegend: false, uirevision: choice.id}, `Residuals against predictions. ${byId("residuals-text").textContent}`);
}
// Lines break between words: a browser would break --out after its first hyphen.
const words = (text) => text.split(/(\s+)/).map((part) => part.trim() ? make("span", {class: "word", text: part}) : part);
function uses(i) {
  return Object.entries(page.lines[i]).map(([what, text]) => {
    const button = make("button", {type: "button", "aria-label": `Copy: ${what}`, text: "Copy"});
    const code = make("pre", {tabindex: "0"}, ...words(text));
    button.addEventListener("click", () => copy(text, code, button));
    return make("div", {class: "copy"}, make("div", {class: "row"}, make("h4", {text: what}), button), code);
  });
}
async function copy(text, code, button) {
  let done = "Copied";
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    getSelection().selectAllChildren(code); // a file's page may not write to the clipboard: the text is selected instead
    if (!document.execCommand("copy")) done = "Selected";
  }
  button.textContent = done;
  byId("said").textContent = `${done}: ${text}`;
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}
function startMember() {
  drawn(drawMember);
  onChoice.push(drawMember);
}
