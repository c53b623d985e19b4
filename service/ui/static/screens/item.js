// Lit words are brought into view on the pictures of the pages, and the label that is put right in its column;
// the page itself stays where somebody reads.
"use strict";

function showLit() {
  const pages = document.getElementById("ban-goc");
  const lit = pages && pages.querySelector("svg[data-first] rect");
  if (!lit) return;
  const distance = lit.getBoundingClientRect().top - pages.getBoundingClientRect().top;
  pages.scrollTop += distance - pages.clientHeight / 3;
}

function focusOnLabel() {
  const place = document.querySelector("[data-focus]");
  if (!place) return;
  const column = place.closest("aside");
  place.focus({ preventScroll: true });
  if (column.scrollHeight > column.clientHeight) {
    const top = (part) => part.getBoundingClientRect().top;
    column.scrollTop += top(place.closest(".facet")) - top(column);
  } else {
    place.scrollIntoView({ block: "nearest" });
  }
}

document.addEventListener("htmx:afterSettle", () => {
  showLit();
  focusOnLabel();
});
showLit();
