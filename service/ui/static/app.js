// The pages work without this file; it shows that work goes on, scrolls, and says what failed.
"use strict";

document.documentElement.classList.add("js");

document.addEventListener("submit", (event) => {
  const button = event.target.querySelector("[data-busy]");
  if (!button) return;
  button.dataset.idle = button.textContent;
  button.textContent = button.dataset.busy;
  button.setAttribute("aria-busy", "true");
});

function rest() {
  for (const button of document.querySelectorAll("[data-idle]")) {
    button.textContent = button.dataset.idle;
    delete button.dataset.idle;
    button.removeAttribute("aria-busy");
  }
}

// A page that comes back from the browser's memory is no longer busy.
addEventListener("pageshow", rest);

document.addEventListener("htmx:afterSettle", () => {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const first = document.getElementById("can-cu");
  if (first) first.scrollIntoView({ block: "center", behavior: still ? "auto" : "smooth" });
});

// What went wrong with a part of the page is said where screen readers hear it; the page stays as it is.
function tell(text) {
  const line = document.createElement("p");
  line.className = "told failed";
  line.textContent = text;
  document.getElementById("bao").replaceChildren(line);
  rest();
}

document.addEventListener("htmx:responseError", (event) => {
  const answer = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
  const told = answer.querySelectorAll("[data-fault] > *");
  tell(told.length ? Array.from(told, (part) => part.textContent.trim()).join(". ") : document.body.dataset.away);
});

document.addEventListener("htmx:sendError", () => tell(document.body.dataset.away));
