// Sends files one by one, two at a time, and says of each what became of it. Nothing is lost when one fails,
// when the connection drops or the session ends. Without this file the form sends what it holds at once.
"use strict";

(() => {
  const form = document.getElementById("gui-tep");
  const board = document.getElementById("da-gui");
  if (!form || !board) return;
  const AT_ONCE = 2;
  const TRIES = 3; // of a file that breaks the connection while the server answers
  const ASKED_AT_ONCE = 40; // jobs
  const ASK_EVERY = 3000; // milliseconds
  const MAX_PAUSE = 30; // seconds
  const ENDED = ["done", "twin", "waiting", "apart", "partial", "failed"];
  const JUNK = /^(\.|~\$)|^(thumbs\.db|desktop\.ini)$/i;
  const words = board.dataset;
  const input = document.getElementById("tep");
  const folder = document.getElementById("thu-muc");
  const face = form.querySelector("[data-file-name]");
  const drop = form.querySelector(".drop");
  const rows = board.querySelector(".rows");
  const held = board.querySelector(".held");
  const formats = new Set(input.accept.split(","));
  const idle = face.textContent;

  const items = []; // every file, in the order of its row
  const line = []; // those to be sent
  let chosen = []; // {file, path}, not handed in yet
  let active = 0;
  let isHeld = false; // until somebody says to go on
  let resumeAt = 0;
  let pause = 1;
  let ticking = 0;
  let asking = 0;
  let painting = 0;
  let notice = ""; // why it waits, as screen readers hear it: once, not every second

  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const shown = (number) => number.toLocaleString("vi-VN");

  // What is chosen

  function choose(found) {
    chosen = found.filter(({ file }) => !JUNK.test(file.name));
    face.textContent = !chosen.length
      ? found.length ? words.noFiles : idle
      : chosen.length === 1 ? chosen[0].path : fill(words.chosen, { n: shown(chosen.length) });
  }

  const listed = (files) => Array.from(files, (file) => ({ file, path: file.webkitRelativePath || file.name }));

  async function walk(entry, found) {
    if (entry.isFile) {
      const file = await new Promise((done, fail) => entry.file(done, fail)).catch(() => null);
      if (file) found.push({ file, path: entry.fullPath.replace(/^\//, "") });
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((done, fail) => reader.readEntries(done, fail)).catch(() => []);
      if (!some.length) return; // it gives a hundred at a time
      for (const child of some) await walk(child, found);
    }
  }

  input.addEventListener("change", () => choose(listed(input.files)));
  folder.addEventListener("change", () => {
    choose(listed(folder.files));
    input.value = "";
  });
  folder.parentElement.hidden = false;
  document.getElementById("chon-thu-muc").addEventListener("click", () => folder.click());
  for (const name of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", name === "dragover");
    });
  }
  drop.addEventListener("drop", async (event) => {
    const entries = Array.from(event.dataTransfer.items, (item) => item.webkitGetAsEntry && item.webkitGetAsEntry());
    const plain = listed(event.dataTransfer.files);
    const found = [];
    for (const entry of entries) if (entry) await walk(entry, found);
    input.value = "";
    choose(found.length ? found : plain);
  });

  form.noValidate = true; // what was dropped is not in the field
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopPropagation();
    if (!chosen.length) {
      input.reportValidity();
      return;
    }
    const isFirst = !items.length;
    const kind = form.elements.kind.value;
    const added = chosen.map(({ file, path }) => ({ file, path, kind, tries: 0, state: "queued" }));
    if (isFirst && added.length === 1) added[0].follow = true; // one file leads to its page
    const sheet = document.createDocumentFragment();
    for (const item of added) sheet.append(newRow(item));
    rows.append(sheet);
    board.hidden = false;
    input.value = folder.value = "";
    choose([]);
    for (const item of added) enter(item);
    board.scrollIntoView({ block: "nearest" });
    pump();
  });

  // Rows

  function newRow(item) {
    const row = document.getElementById("mau-dong").content.firstElementChild.cloneNode(true);
    row.querySelector(".name").textContent = item.path;
    const bar = row.querySelector("progress");
    bar.setAttribute("aria-label", item.path);
    const again = row.querySelector("button");
    again.setAttribute("aria-label", `${words.again}: ${item.path}`);
    again.addEventListener("click", () => {
      enter(item);
      pump();
    });
    Object.assign(item, { row, bar, again, place: row.querySelector(".state > div") });
    items.push(item);
    return row;
  }

  function set(item, state, what) {
    item.state = state;
    item.bar.hidden = state !== "sending";
    item.again.hidden = !mayGoAgain(item);
    item.row.classList.toggle("bad", ["failed", "partial", "stopped", "apart"].includes(state));
    if (what instanceof Node) item.place.replaceChildren(what);
    else item.place.textContent = what;
    paint();
  }

  // only where the file is not to blame: it was stopped, or the line or the server gave way
  const mayGoAgain = (item) => item.state === "stopped" || (item.state === "failed" && item.isPassing);

  function fail(item, why, isPassing = false) {
    const told = document.createElement("div");
    const badge = document.createElement("span");
    badge.className = "badge warn";
    badge.textContent = words.refused;
    told.className = "outcome";
    told.append(badge, " ", why);
    item.isPassing = isPassing;
    set(item, "failed", told);
  }

  // What can be told without sending is told at once, and sending it again would be no use.
  function enter(item) {
    const dot = item.file.name.lastIndexOf(".");
    item.tries = 0;
    if (!item.file.size) fail(item, words.empty);
    else if (item.file.size > Number(words.maxBytes)) fail(item, words.large);
    else if (dot > 0 && !formats.has(item.file.name.slice(dot).toLowerCase())) fail(item, words.unknown);
    else {
      set(item, "queued", words.queued);
      line.push(item);
    }
  }

  function back(item) {
    set(item, "queued", words.queued);
    line.unshift(item);
  }

  // Sending

  function pump() {
    while (!isHeld && Date.now() >= resumeAt && active < AT_ONCE && line.length) send(line.shift());
    paint();
  }

  function send(item) {
    const asked = new XMLHttpRequest();
    const body = new FormData();
    body.append("kind", item.kind);
    body.append("file", item.file, item.file.name);
    item.asked = asked;
    active += 1;
    item.bar.value = 0;
    set(item, "sending", fill(words.uploading, { n: 0 }));
    asked.open("POST", form.getAttribute("action"));
    asked.timeout = 180000;
    asked.setRequestHeader("hx-request", "true");
    if (form.elements.csrf) asked.setRequestHeader("x-csrf-token", form.elements.csrf.value);
    asked.upload.addEventListener("progress", (event) => {
      if (item.state === "sending" && event.lengthComputable) {
        item.bar.value = (100 * event.loaded) / event.total;
        item.place.textContent = fill(words.uploading, { n: Math.floor(item.bar.value) });
      }
    });
    asked.upload.addEventListener("load", () => {
      item.bar.removeAttribute("value");
      item.place.textContent = words.reading;
    });
    const end = (then) => () => {
      active -= 1;
      then(item, asked);
      pump();
    };
    asked.addEventListener("load", end(answered));
    for (const name of ["error", "timeout"]) asked.addEventListener(name, end(lost));
    asked.send(body);
  }

  function answered(item, asked) {
    const wait = Number(asked.getResponseHeader("retry-after")) || 5;
    const page = () => new DOMParser().parseFromString(asked.responseText, "text/html");
    pause = 1;
    if (asked.status === 200) {
      const outcome = page().querySelector(".outcome");
      if (outcome) settle(item, outcome);
      else fail(item, words.other, true);
    } else if (asked.status === 401 || asked.status === 403 || asked.status === 507) {
      back(item);
      hold(asked.status);
    } else if (asked.status === 429 || asked.status === 503) {
      back(item);
      rest(wait, words.busyServer);
    } else if (asked.status === 408) {
      lost(item);
    } else {
      const told = page().querySelector("[data-fault] > p");
      fail(item, told ? told.textContent.trim() : words.other, !told || asked.status >= 500);
    }
  }

  // The file, the server or the line between: each is told apart, and only the file is given up.
  async function lost(item) {
    back(item);
    resumeAt = Infinity; // until it is known
    const isThere = await item.file.slice(0, 1).arrayBuffer().then(() => true, () => false);
    const answers = await fetch("/healthz", { cache: "no-store" }).then((answer) => answer.ok, () => false);
    resumeAt = 0;
    item.tries += answers ? 1 : 0;
    if (!isThere || item.tries >= TRIES) {
      if (line.includes(item)) line.splice(line.indexOf(item), 1);
      fail(item, isThere ? words.broken : words.changed, isThere);
    } else {
      pause = Math.min(2 * pause, MAX_PAUSE);
      rest(pause, words.lost);
    }
    pump();
  }

  // Goes on by itself after so many seconds.
  function rest(seconds, text) {
    notice = fill(text, { n: shown(seconds) });
    resumeAt = Math.max(resumeAt, Date.now() + 1000 * seconds);
    clearInterval(ticking);
    const tick = () => {
      const left = Math.ceil((resumeAt - Date.now()) / 1000);
      if (isHeld || left <= 0) {
        clearInterval(ticking);
        if (!isHeld) tell(null);
        pump();
      } else {
        tell(fill(text, { n: shown(left) }));
      }
    };
    ticking = setInterval(tick, 1000);
    tick();
  }

  // Goes on when somebody says so.
  function hold(status) {
    isHeld = true;
    notice = status === 401 ? words.signedOut : status === 403 ? words.noRight : words.full;
    tell(notice, true, status === 401);
    paint();
  }

  function tell(text, withButton = false, withLink = false) {
    held.hidden = text === null;
    if (text === null) notice = "";
    else held.querySelector("p").textContent = text;
    held.querySelector("button").hidden = !withButton;
    held.querySelector("a").hidden = !withLink;
  }

  held.querySelector("button").addEventListener("click", async () => {
    // whoever signed in again has another token
    const answer = await fetch("/upload", { cache: "no-store" }).catch(() => null);
    if (answer && answer.ok && !answer.url.includes("/sign-in")) {
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const token = fresh.querySelector("#gui-tep [name=csrf]");
      if (token && form.elements.csrf) form.elements.csrf.value = token.value;
      isHeld = false;
      tell(null);
      pump();
      ask();
    }
  });

  addEventListener("online", () => {
    if (resumeAt === Infinity) return;
    resumeAt = 0;
    pump();
  });

  function settle(item, outcome) {
    const state = outcome.dataset.state;
    item.job = state === "waiting" ? outcome.dataset.job : undefined;
    item.isPassing = "again" in outcome.dataset;
    set(item, ENDED.includes(state) ? state : "failed", document.adoptNode(outcome));
    const link = outcome.querySelector("a");
    const isFollowed = item.follow;
    item.follow = false; // later somebody may be reading here
    if (isFollowed && link && (state === "done" || state === "twin")) {
      location.assign(link.getAttribute("href") + (state === "twin" ? "?told=known" : ""));
    } else if (state === "waiting" && !asking) {
      asking = setTimeout(ask, ASK_EVERY);
    }
  }

  // How far the files are that a worker reads; those asked about go to the end of the turn.
  let turn = [];
  async function ask() {
    clearTimeout(asking);
    asking = 0;
    const open = items.filter((item) => item.job);
    if (!open.length || isHeld) return;
    const jobs = new Set(open.map((item) => item.job));
    turn = [...turn.filter((job) => jobs.has(job)), ...[...jobs].filter((job) => !turn.includes(job))];
    const now = turn.splice(0, ASKED_AT_ONCE);
    turn.push(...now);
    const query = now.map((job) => `job=${encodeURIComponent(job)}`).join("&");
    const answer = await fetch(`/upload/waiting?${query}`, { headers: { "hx-request": "true" }, cache: "no-store" })
      .catch(() => null);
    if (answer && answer.status === 401) hold(401);
    else if (answer && answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const outcome of [...page.querySelectorAll(".outcome[data-job]")]) {
        const own = open.filter((item) => item.job === outcome.dataset.job);
        for (const item of own) settle(item, outcome.cloneNode(true));
      }
    }
    if (!asking) asking = setTimeout(ask, ASK_EVERY);
  }

  // What it all comes to

  function paint() {
    if (!painting) painting = requestAnimationFrame(draw);
  }

  function draw() {
    painting = 0;
    const counts = {};
    for (const item of items) counts[item.state] = (counts[item.state] || 0) + 1;
    const n_ended = ENDED.reduce((sum, state) => sum + (counts[state] || 0), 0);
    const parts = [...ENDED, "stopped"]
      .filter((state) => counts[state])
      .map((state) => fill(words[state], { n: shown(counts[state]) }));
    const sum = `${fill(words.count, { n: shown(n_ended), all: shown(items.length) })}${parts.length ? ": " : ""}${parts.join(", ")}`;
    board.querySelector(".sum").textContent = sum;
    const whole = board.querySelector(".whole");
    whole.max = Math.max(items.length, 1);
    whole.value = n_ended;
    const isBusy = active > 0 || line.length > 0;
    whole.hidden = !isBusy;
    document.getElementById("dung-gui").hidden = !line.length;
    const again = document.getElementById("gui-lai");
    const n_again = items.filter(mayGoAgain).length;
    again.hidden = isBusy || !n_again;
    again.textContent = fill(words.againAll, { n: shown(n_again) });
    const mend = board.querySelector(".mend");
    const n_mend = items.filter((item) => item.state === "failed" && !item.isPassing).length;
    mend.hidden = isBusy || !n_mend;
    mend.textContent = fill(words.mend, { n: shown(n_mend) });
    const status = board.querySelector("[role=status]");
    const told = notice || isBusy || !items.length ? notice : `${words.allEnded} ${sum}`;
    if (status.textContent !== told) status.textContent = told;
  }

  document.getElementById("dung-gui").addEventListener("click", () => {
    for (const item of line.splice(0)) set(item, "stopped", words.notSent);
    if (isHeld) {
      isHeld = false;
      tell(null);
    }
  });

  document.getElementById("gui-lai").addEventListener("click", () => {
    for (const item of items.filter(mayGoAgain)) enter(item);
    pump();
  });

  document.getElementById("chi-can-xem").addEventListener("change", (event) => {
    rows.classList.toggle("only-bad", event.target.checked);
  });

  addEventListener("beforeunload", (event) => {
    if (active || line.length) event.preventDefault();
  });

  // The list as a table; no cell is ever a formula.
  document.getElementById("luu-danh-sach").addEventListener("click", () => {
    const cell = (text) => `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
    const lines = [words.csvHead.split("|").map(cell).join(",")];
    for (const { path, place } of items) {
      const badge = place.querySelector(".badge");
      const label = badge ? badge.textContent.trim() : "";
      const whole = place.textContent.replace(/\s+/g, " ").trim();
      const link = place.querySelector("a");
      lines.push([path, label, whole.slice(label.length).trim(), link ? link.href : ""].map(cell).join(","));
    }
    const saved = document.createElement("a");
    saved.href = URL.createObjectURL(new Blob(["\ufeff", lines.join("\r\n"), "\r\n"], { type: "text/csv" }));
    saved.download = `${words.csvName}.csv`;
    saved.click();
    setTimeout(() => URL.revokeObjectURL(saved.href), 10000);
  });
})();
