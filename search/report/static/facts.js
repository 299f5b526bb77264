// Tables of facts: data, config, versions.
const factTable = (rows) => make("table", {}, make("tbody", {}, ...rows.map(([name, value]) => make("tr", {}, make("th", {scope: "row", class: "name", text: name}), make("td", {class: "name", text: value})))));
const codeBlock = (label, text) => make("pre", {class: "scroll", tabindex: "0", role: "region", "aria-label": label, text});
const four = (values) => values.map((value) => signed(value));

function dataFacts(data) {
  const rows = [["Rows", `${data.rows.toLocaleString("en")}: ${data.train.toLocaleString("en")} for training and validation, ${data.test.toLocaleString("en")} for the test`],
    ["Split", data.split], ["Features", data.features.toLocaleString("en")], ["Target", data.target], ["Task", data.classes ? `${plural(data.classes.length, "class").replace("classs", "classes")}` : "regression"]];
  const blocks = [factTable(rows)];
  if (data.classes) blocks.push(make("h3", {text: "Classes"}), scrolling("Rows of each class", table(["Class", "Training rows", "Test rows"], data.classes)));
  const figures = data.names.map((name, i) => [name, ...four([data.figures.mean[i], data.figures.sd[i], data.figures.min[i], data.figures.max[i]])]);
  if (data.targets) figures.unshift([`${data.target} (target)`, ...four(data.targets)]);
  const more = data.features > data.names.length ? `the first ${data.names.length} of ${data.features.toLocaleString("en")} features` : "every feature";
  const features = scrolling("Statistics of the features", table(["Feature", "Mean", "Standard deviation", "Minimum", "Maximum"], figures));
  features.classList.add("list");
  blocks.push(make("h3", {text: "Training rows"}), make("p", {class: "hint", text: `Statistics of ${more}, before scaling.`}), features);
  return blocks;
}
function versions(manifest) {
  const rows = Object.entries(manifest.versions ?? {});
  const machine = manifest.machine ? Object.values(manifest.machine) : [];
  if (machine.length) rows.push(["machine", `${machine[0]}, ${machine[1]}, ${plural(machine[2] ?? 0, "core")}`]);
  if (manifest.energy) rows.push(["energy", manifest.energy.replace(/^energy, /, "")]);
  if (manifest.git_commit) rows.push(["commit of the code", manifest.git_commit]);
  if (isNumber(manifest.seed)) rows.push(["seed", String(manifest.seed)]);
  return rows.length ? factTable(rows) : missing("The manifest of the run lists neither.");
}
