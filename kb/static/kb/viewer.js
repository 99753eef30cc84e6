// Brings the found passage into view, and ties each line of text to its place in the picture.
"use strict";

const chosen = document.querySelector("[data-chosen]");
if (chosen) {
  chosen.scrollIntoView({ block: "center" });
}
document.querySelector(".pages [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

function point(event) {
  const here = event.target.closest("[data-line]")?.dataset.line;
  for (const element of document.querySelectorAll("[data-line]")) {
    element.classList.toggle("pointed", element.dataset.line === here);
  }
}
if (document.querySelector("[data-line]")) {
  document.addEventListener("pointerover", point);
}
