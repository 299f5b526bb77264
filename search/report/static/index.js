"use strict";
// The rows come ready from the server, which has escaped all names; the one in focus keeps it.
async function refresh() {
  try {
    const text = await (await fetch("rows", {cache: "no-store"})).text();
    const body = document.getElementById("runs");
    const held = body.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    if (body.innerHTML !== text) body.innerHTML = text;
    if (held) [...body.querySelectorAll("a")].find((link) => link.getAttribute("href") === held)?.focus();
  } catch { /* the server has stopped: what is shown stays */ }
}
setInterval(refresh, 5000);
