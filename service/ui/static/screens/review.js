// Keys for the screen that is worked through by the hundred; everything here is a button or a link as well.
"use strict";

const KEYS_OFF = "danvan-review-keys-off";

// what a person keeps in this browser; some browsers keep nothing
function remembered() {
  try { return localStorage.getItem(KEYS_OFF) === "1"; } catch { return false; }
}

function remember(off) {
  try { localStorage.setItem(KEYS_OFF, off ? "1" : "0"); } catch { /* it holds until the page is left */ }
}

let off = remembered();
const keysOn = document.querySelector("[data-keys-on]");
keysOn.checked = !off;
keysOn.addEventListener("change", () => {
  off = !keysOn.checked;
  remember(off);
});

function press(selector) {
  const found = document.querySelector(selector);
  if (!found) return false;
  found.click();
  return true;
}

function openSearch() {
  const others = document.querySelector(".review-others");
  if (!others) return false;
  others.open = true;
  others.querySelector("[data-search]").focus();
  return true;
}

function toggleKeys() {
  const keys = document.getElementById("phim");
  keys.open = !keys.open;
  if (keys.open) {
    keys.querySelector("summary").focus({ preventScroll: true });
    keys.scrollIntoView({ block: "nearest" });
  }
  return true;
}

function act(key) {
  if (/^[0-9]$/.test(key)) return press(`.review-choices [aria-keyshortcuts="${key}"]`);
  if (key === "z" || key === "Z") return press("[data-undo]");
  if (key === " ") return press("[data-skip]");
  if (key === "/") return openSearch();
  if (key === "?") return toggleKeys();
  return false;
}

document.addEventListener("keydown", (event) => {
  if (off || event.repeat || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
  const on = event.target;
  if (on.closest("input, select, textarea, [contenteditable]")) return;
  // the space bar presses what has the focus, and moves a long text
  if (event.key === " " && on.closest("button, summary, a:not([data-skip]), .review-words")) return;
  if (act(event.key)) event.preventDefault();
});

// Letters without marks, so that a search works whatever keyboard is at hand.
function plain(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").replace(/\u0111/g, "d").replace(/\u0110/g, "D").toLowerCase();
}

document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-search]")) return;
  const words = plain(event.target.value).split(/\s+/).filter(Boolean);
  const list = document.querySelector(event.target.dataset.search);
  const told = event.target.closest("form").querySelector("[data-found]");
  const options = Array.from(list.options).filter((option) => option.value);
  const found = options.filter((option) => words.every((word) => plain(option.text).includes(word)));
  for (const option of options) option.hidden = !found.includes(option);
  for (const group of list.querySelectorAll("optgroup")) {
    group.hidden = !Array.from(group.children).some((option) => !option.hidden);
  }
  list.value = words.length && found.length ? found[0].value : "";
  list.size = words.length ? Math.min(Math.max(found.length + 1, 2), 8) : 0;
  told.textContent = found.length ? "" : told.dataset.none;
});

// The next item is read from its beginning, by eye and by ear.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target.id !== "duyet" && event.detail.elt.id !== "duyet") return;
  begin();
  document.getElementById("cau-hoi").focus({ preventScroll: true });
});

function begin() {
  const words = document.querySelector(".review-words");
  const mark = words && words.querySelector("mark");
  if (mark && words.scrollHeight > words.clientHeight) {
    words.scrollTop = mark.offsetTop - words.offsetTop - words.clientHeight / 3;
  }
  const top = document.getElementById("duyet").getBoundingClientRect().top;
  if (top < 0) scrollBy(0, top - 8);
}

begin();
