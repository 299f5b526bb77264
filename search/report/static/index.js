"use strict";
// The server sends complete rows with escaped names; the link in focus keeps the focus.
async function refresh() {
  try {
    const text = await (await fetch("rows", {cache: "no-store"})).text();
    const body = document.getElementById("runs");
    const held = body.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    if (body.innerHTML !== text) body.innerHTML = text;
    if (held) [...body.querySelectorAll("a")].find((link) => link.getAttribute("href") === held)?.focus();
  } catch { /* the server has stopped: keep what is shown */ }
}
setInterval(refresh, 5000);
