// Content wider than its container scrolls inside it. A hint below says so, and the side with more to see fades.
const rooms = new ResizeObserver((entries) => entries.forEach(({target}) => {
  if (target.isConnected) tellWidth(target.closest(".scroll"));
  else rooms.unobserve(target); // a table that was replaced
}));
function tellWidth(node) {
  const beyond = node.scrollWidth - node.clientWidth;
  node.classList.toggle("wider", beyond > 1);
  node.classList.toggle("more", beyond - node.scrollLeft > 1);
}
function watchWidths() {
  for (const node of document.querySelectorAll(".scroll")) {
    for (const part of [node, ...node.children]) rooms.observe(part); // a second call for the same node does nothing
    if (node.nextElementSibling?.className === "sideways") continue;
    node.addEventListener("scroll", () => tellWidth(node), {passive: true});
    const hint = document.createElement("p");
    hint.className = "sideways";
    hint.textContent = "Scroll sideways to see all →";
    node.after(hint);
  }
}
new MutationObserver(watchWidths).observe(document.body, {childList: true, subtree: true}); // tables come and go
watchWidths();
