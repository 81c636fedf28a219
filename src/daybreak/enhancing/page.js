"use strict";

// Each .pair holds images and one range input; the range is what the keyboard and screen readers use,
// the pointer may be put down anywhere on the picture.
function place(pair, percent) {
  const range = pair.querySelector("input");
  pair.style.setProperty("--at", `${percent}%`);
  range.value = percent;
  const left = Math.round(percent);
  range.setAttribute("aria-valuetext", `${left} % ${pair.dataset.left}, ${100 - left} % ${pair.dataset.right}`);
}

function follow(pair, event) {
  const box = pair.getBoundingClientRect();
  place(pair, Math.min(Math.max((100 * (event.clientX - box.left)) / box.width, 0), 100));
}

for (const pair of document.querySelectorAll(".pair")) {
  const range = pair.querySelector("input");
  range.addEventListener("input", () => place(pair, Number(range.value)));
  pair.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    pair.setPointerCapture(event.pointerId);
    range.focus({ preventScroll: true });
    follow(pair, event);
    event.preventDefault();
  });
  pair.addEventListener("pointermove", (event) => {
    if (pair.hasPointerCapture(event.pointerId)) follow(pair, event);
  });
}

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

// A comparison: any two of the stacked pictures on the two sides of the slider beside the two lists.
for (const chooser of document.querySelectorAll(".choose")) {
  const pair = chooser.parentElement.querySelector(".pair");
  const sides = chooser.querySelectorAll("select[data-side]");
  const pick = () => {
    for (const select of sides) {
      const side = select.dataset.side;
      const name = select.selectedOptions[0].text;
      pair.dataset[side] = name;
      pair.querySelector(`.tag[data-side="${side}"]`).textContent = name;
      for (const image of pair.querySelectorAll("img")) {
        image.classList.toggle(side, image.dataset.index === select.value);
      }
    }
    place(pair, Number(pair.querySelector("input").value));
  };
  for (const select of sides) select.addEventListener("change", pick);
}
