// Lit words are brought into view on the pictures of the pages, without moving the page itself.
"use strict";

function showLit() {
  const pages = document.getElementById("ban-goc");
  const lit = pages && pages.querySelector("svg[data-first] rect");
  if (!lit) return;
  const distance = lit.getBoundingClientRect().top - pages.getBoundingClientRect().top;
  pages.scrollTop += distance - pages.clientHeight / 3;
}

document.addEventListener("htmx:afterSettle", showLit);
showLit();
