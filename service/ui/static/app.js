// The pages work without this file; it names the chosen file, shows that work goes on, and scrolls.
"use strict";

document.documentElement.classList.add("js");

document.addEventListener("change", (event) => {
  if (event.target.type !== "file") return;
  const face = event.target.closest("label").querySelector("[data-file-name]");
  if (event.target.files.length) face.textContent = event.target.files[0].name;
});

document.addEventListener("submit", (event) => {
  const button = event.target.querySelector("[data-busy]");
  if (!button) return;
  button.dataset.idle = button.textContent;
  button.textContent = button.dataset.busy;
  button.setAttribute("aria-busy", "true");
});

// A page that comes back from the browser's memory is no longer busy.
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("[data-idle]")) {
    button.textContent = button.dataset.idle;
    button.removeAttribute("aria-busy");
  }
});

document.addEventListener("htmx:afterSettle", () => {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const first = document.getElementById("can-cu");
  if (first) first.scrollIntoView({ block: "center", behavior: still ? "auto" : "smooth" });
});
