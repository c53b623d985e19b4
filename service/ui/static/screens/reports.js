// A day that is filled in asks for the days from and to; another stretch empties them. A report that did not
// come is no longer on its way: `app.js` says why.
"use strict";

(() => {
  const form = document.getElementById("bao-cao-form");
  const stretch = form.elements.namedItem("stretch");
  const days = ["from", "to"].map((name) => form.elements.namedItem(name));
  for (const day of days) {
    day.addEventListener("input", () => {
      if (day.value) stretch.value = "days";
    });
  }
  stretch.addEventListener("change", () => {
    if (stretch.value === "days") days[0].focus();
    else for (const day of days) day.value = "";
  });
  for (const failed of ["htmx:responseError", "htmx:sendError"]) {
    document.addEventListener(failed, () => document.querySelector(".waiting span")?.remove());
  }
})();
