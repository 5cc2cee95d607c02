"use strict";
// Walking the research graph: arrow keys go along its lines, pointing shows neighbours. The links work without it.

(() => {
  const node = (target) => target.closest && target.closest("[data-graph] a[data-node]");

  const neighbours = (svg, id) => {
    const found = new Set();
    for (const line of svg.querySelectorAll("line")) {
      if (line.dataset.a === id) found.add(line.dataset.b);
      else if (line.dataset.b === id) found.add(line.dataset.a);
    }
    return found;
  };

  function follow(link) {
    const svg = link.ownerSVGElement;
    const id = link.dataset.node;
    const near = neighbours(svg, id);
    near.add(id);
    svg.classList.add("is-followed");
    for (const other of svg.querySelectorAll("a[data-node]")) other.classList.toggle("near", near.has(other.dataset.node));
    for (const line of svg.querySelectorAll("line")) {
      line.classList.toggle("near", line.dataset.a === id || line.dataset.b === id);
    }
  }

  function leave(svg) {
    const focused = node(document.activeElement || document.body);
    if (focused && focused.ownerSVGElement === svg) follow(focused);
    else svg.classList.remove("is-followed");
  }

  const centre = (link) => {
    const hit = link.querySelector(".hit");
    return [hit.cx.baseVal.value, hit.cy.baseVal.value];
  };

  const ways = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

  // The neighbour that lies best in a direction; where none does, the best of all nodes.
  function next(link, [dx, dy]) {
    const svg = link.ownerSVGElement;
    const near = neighbours(svg, link.dataset.node);
    const [x, y] = centre(link);
    let best = null;
    let least = Infinity;
    for (const other of svg.querySelectorAll("a[data-node]")) {
      if (other === link) continue;
      const [ox, oy] = centre(other);
      const ahead = (ox - x) * dx + (oy - y) * dy;
      const aside = Math.abs((ox - x) * dy) + Math.abs((oy - y) * dx);
      if (ahead <= 0 || aside > 2.5 * ahead) continue;
      const cost = ahead + 2 * aside + (near.has(other.dataset.node) ? 0 : 5000);
      if (cost < least) { least = cost; best = other; }
    }
    return best;
  }

  document.addEventListener("keydown", (event) => {
    const link = node(event.target);
    if (!link || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const way = ways[event.key];
    const target = way ? next(link, way) : event.key === "Home" ? link.ownerSVGElement.querySelector("a.subject") : null;
    if (!way && event.key !== "Home") return;
    event.preventDefault();
    if (target) target.focus();
  });

  document.addEventListener("focusin", (event) => { const link = node(event.target); if (link) follow(link); });
  document.addEventListener("focusout", (event) => {
    const link = node(event.target);
    if (link && !node(event.relatedTarget || document.body)) link.ownerSVGElement.classList.remove("is-followed");
  });
  document.addEventListener("pointerover", (event) => { const link = node(event.target); if (link) follow(link); });
  document.addEventListener("pointerout", (event) => {
    const link = node(event.target);
    if (link && !(event.relatedTarget && node(event.relatedTarget))) leave(link.ownerSVGElement);
  });
})();
