// The names of the baselines in the picture of the front.
const [LABEL, LINE] = [12, 15]; // pixels: the font size, and the height of a line
// Offsets from the centre of a marker to the left and upper edges of a name, as Plotly sets them.
const ACROSS = {left: (width) => -8 - width, center: (width) => -width / 2, right: () => 8};
const DOWN = {top: -22, middle: -9, bottom: 5};
const PLACES = ["top center", "bottom center", "middle right", "middle left", "top right", "top left", "bottom right", "bottom left"];
const BLANK = " "; // Plotly removes the element of an empty text and does not restore it
const pen = document.createElement("canvas").getContext("2d");
const overlap = ([l, t, w, h], [left, top, wide, high]) => l < left + wide && left < l + w && t < top + high && top < t + h;
const around = ([x, y], half) => [x - half, y - half, 2 * half, 2 * half];

// A place for each name: within the axes, clear of other baselines and their names, over as few members as possible; "" if there is no room.
function labelPlaces(points, names, members, [width, height]) {
  const taken = points.map((point) => around(point, 6));
  const within = ([l, t, w, h]) => l >= 0 && t >= 0 && l + w <= width && t + h <= height;
  return points.map(([x, y], k) => {
    const wide = pen.measureText(names[k]).width + 2;
    const free = PLACES.map((place) => {
      const [down, across] = place.split(" ");
      const box = [x + ACROSS[across](wide), y + DOWN[down], wide, LINE];
      return {place, box, hidden: members.filter((member) => overlap(box, around(member, 4))).length};
    }).filter(({box}) => within(box) && !taken.some((other) => overlap(box, other)));
    const best = free.sort((a, b) => a.hidden - b.hidden)[0];
    if (best) taken.push(best.box);
    return best?.place ?? "";
  });
}
// Called after Plotly has laid out its axes, and after every zoom.
function labelRivals() {
  const node = byId("front-plot");
  const trace = node.data.findIndex(({name}) => name === "baselines");
  if (trace < 0) return;
  const {xaxis, yaxis, font} = node._fullLayout;
  const at = (x, y) => [xaxis.d2p(x), yaxis.d2p(y)];
  const there = drawnRivals();
  pen.font = `${LABEL}px ${font.family}`;
  const members = valuesOf(front.x).map((x, i) => at(x, valueOf(front.y, i)));
  const places = labelPlaces(there.map(({values}) => at(values[front.x], values[front.y])), there.map(({label}) => label), members, [xaxis._length, yaxis._length]);
  Plotly.restyle(node, {text: [there.map(({label}, k) => places[k] ? plain(label) : BLANK)], textposition: [places.map((place) => place || "top center")]}, [trace]);
}
