// Without this all is there: titles show under the pointer, tables have the figures.
// With it they show at once, and follow the arrow keys.
"use strict";
const tip = document.getElementById("tip");
const said = document.getElementById("said");
let shown = null;

function hide() {
  if (shown) shown.classList.remove("at");
  shown = null;
  tip.hidden = true;
}

function show(mark, x, y) {
  hide();
  shown = mark;
  mark.classList.add("at");
  tip.textContent = mark.dataset.told;
  tip.hidden = false;
  const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
  tip.style.left = Math.max(8, Math.min(x + 12, room)) + "px";
  tip.style.top = Math.max(8, y - tip.offsetHeight - 12) + "px";
}

for (const svg of document.querySelectorAll("figure svg")) {
  const marks = [...svg.querySelectorAll(".tip")];
  if (!marks.length) continue;
  for (const mark of marks) {
    const title = mark.querySelector("title");
    mark.dataset.told = title.textContent;
    title.remove();
    mark.addEventListener("pointerenter", (event) => show(mark, event.clientX, event.clientY));
    mark.addEventListener("pointerleave", hide);
  }
  let at = -1;
  svg.setAttribute("tabindex", "0");
  svg.setAttribute("aria-label", svg.getAttribute("aria-label") + " The arrow keys read the values.");
  svg.addEventListener("blur", hide);
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === "Escape") return hide();
    if (!step) return;
    event.preventDefault();
    at = Math.min(marks.length - 1, Math.max(0, at + step));
    const box = marks[at].getBoundingClientRect();
    show(marks[at], box.left + box.width / 2, box.top + 16);
    said.textContent = marks[at].dataset.told;
  });
}
