// The page of a run as a whole; a served page asks for changes while the run is under way.
const POLL = 2000;

function heading() {
  const facts = [page.status, page.test.summary ? `${plural(page.test.summary.rows, "row")}, ${plural(page.test.summary.features, "feature")}` : "", page.device,
    page.objectives.length ? `minimises ${page.objectives.map(labelOf).join(", ")}` : "", plural(count(), "member"),
    past().length ? `generation ${past().at(-1)}, ${plural((page.history.evaluations ?? []).at(-1) ?? 0, "tree")}` : "",
    !page.final && page.saved ? `saved ${new Date(page.saved * 1000).toLocaleString("en-GB")}` : ""];
  byId("name").textContent = page.name;
  fillWith("facts", make("span", {class: "badge", text: facts[0]}), ` ${facts.slice(1).filter(Boolean).join(" · ")}`);
}
const HONEST = "All models are trained on the same rows. Honest errors are of models trained anew on the same splits; validation errors of members are too low for a comparison, because they selected them.";
function baselines() {
  if (!page.baselines.length) return [make("p", {class: "hint", text: "The run has no baselines."})];
  const names = [...new Set([page.error, "test_error", "test_score", ...page.objectives, "weights", "flash_bytes", "seconds"])].filter((name) => page.baselines.some(({values}) => isNumber(values[name])));
  const rows = page.baselines.map((row) => [row.label, ...names.map((name) => shown(name, row.values[name])), peer(row), verdict(row)]);
  const made = table(["Baseline", ...names.map((name) => capital(labelOf(name))), "Test error of the best member with no more weights", "Members it beats"], rows, {caption: "The baselines of the run compared with its front", className: "wide"});
  return [scrolling("Baselines", made), make("p", {class: "hint", text: `“Beats” means no worse in any of these columns and better in at least one: ${comparedIn()}. ${HONEST}`})];
}
// The columns that baselines are compared in: a device cannot cost some baselines.
function comparedIn() {
  const ways = new Map();
  for (const {label, compared} of page.baselines) {
    const way = compared.map(labelOf).join(", ");
    if (way) ways.set(way, [...(ways.get(way) ?? []), label]);
  }
  return [...ways].map(([way, labels]) => ways.size > 1 ? `${way} (${labels.join(", ")})` : way).join("; ");
}
function peer({peer: i}) {
  return i === null ? "none" : `${page.members.name[i]}: ${shown("test_error", valueOf("test_error", i))}`;
}
function verdict({compared, beats}) {
  if (!compared.length) return make("span", {text: "not comparable"});
  if (beats.length) return make("span", {class: "mark ahead", text: `▲ beats ${beats.length} of ${count()} members`});
  return make("span", {text: "beats no member"});
}
function refresh() {
  heading();
  showNotes();
  fillWith("verdict", ...page.verdict.map((text) => make("li", {text})));
  fillWith("baselines-body", ...baselines());
  byId("front-missing").hidden = count() > 0;
  byId("front-body").hidden = !count();
  byId("member-more").hidden = !count() || !page.final;
}
let started = false;
function startFrontOnce() {
  if (started || !count()) return;
  started = true;
  firstChoice();
  startFront();
  startMember();
  startParallel();
}
function start() {
  refresh();
  startFrontOnce();
  startHistory();
  fillWith("data-body", ...(page.test.summary ? dataFacts(page.test.summary) : [missing(page.test.missing)]));
  fillWith("config-body", page.config ? codeBlock("Config as run", page.config) : missing("There is no config.toml in the run folder."));
  fillWith("versions", versions(page.manifest));
  if (goesOn()) setTimeout(poll, POLL);
}
const goesOn = () => page.live && (!page.final || page.status === "running"); // baselines may come after the front
async function poll() {
  try {
    const answer = await fetch("data.json", {cache: "no-store"});
    if (answer.ok) update(await answer.json());
  } catch { /* the server has stopped: keep what is shown */ }
  if (goesOn()) setTimeout(poll, POLL);
}
function update(fresh) {
  if (fresh.final !== page.final || fresh.status !== page.status) return location.reload(); // the models exist now; the address holds the choice
  if (page.final) return;
  const before = chosen();
  Object.assign(page, fresh, {axes: page.axes, columns: {...fresh.columns, ...page.columns}});
  if (started && chosen() < 0) choice.id = page.members.id[Math.min(Math.max(before, 0), count() - 1)] ?? null;
  refresh();
  startFrontOnce();
  if (count()) { drawFront(); drawList(); drawMember(); refreshParallel(); }
  byId("search-body").hidden = !past().length;
  if (past().length) { byId("search-body").previousElementSibling?.matches(".missing") && byId("search-body").previousElementSibling.remove(); drawVolume(); drawTime(); }
}
start();
