"use strict";

// A gallery: show the pictures whose name or method holds what is typed.
const filter = document.querySelector("#filter");
filter?.addEventListener("input", () => {
  const wanted = filter.value.trim().toLowerCase();
  let shown = 0;
  for (const article of document.querySelectorAll("article")) {
    article.hidden = !article.dataset.find.includes(wanted);
    shown += article.hidden ? 0 : 1;
  }
  document.querySelector("#shown").textContent = wanted ? `, ${shown} shown` : "";
});
