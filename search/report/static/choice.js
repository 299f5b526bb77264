// The chosen member, the members within the ranges, and the functions to call after a choice.
const choice = {id: null, inside: null};
const onChoice = [];
const count = () => page.members.id.length;
const valueOf = (name, i) => page.members.values[name]?.[i] ?? null;
const valuesOf = (name) => page.members.values[name] ?? [];
const isInside = (i) => !choice.inside || choice.inside[i];
const chosen = () => page.members.id.indexOf(choice.id);

function choose(i) {
  if (i < 0 || i >= count()) return;
  choice.id = page.members.id[i];
  history.replaceState(null, "", `#member-${choice.id}`);
  const name = page.members.name[i];
  const [x, y] = [page.axes.x, page.axes.y].map((column) => `${labelOf(column)} ${shown(column, valueOf(column, i))}`);
  byId("said").textContent = `Member ${name}: ${y}, ${x}`;
  onChoice.forEach((tell) => tell());
}
function firstChoice() {
  const asked = Number(location.hash.match(/^#member-(\d+)$/)?.[1] ?? NaN);
  const known = page.members.id.includes(asked);
  choice.id = known ? asked : page.members.id[page.recommended ?? 0] ?? null;
}
function step(by, order) {
  const open = order.filter(isInside);
  const at = open.indexOf(chosen());
  const next = at < 0 ? 0 : Math.min(open.length - 1, Math.max(0, at + by));
  if (open.length) choose(open[next]);
}
