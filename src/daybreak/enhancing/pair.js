"use strict";

// Each .pair holds images and one range input; the range is what the keyboard and screen readers use,
// the pointer may be put down anywhere on the picture. Listens on the document, so that pairs may come later.
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

document.addEventListener("input", ({ target }) => {
  const pair = target.closest(".pair");
  if (pair) place(pair, Number(target.value));
});
let held = null; // the pair whose line a pointer moves
document.addEventListener("pointerdown", (event) => {
  const pair = event.target.closest(".pair");
  const pans = event.pointerType === "touch" && getComputedStyle(event.target).touchAction === "auto";
  held = pair && event.button === 0 && !pans ? pair : null;
  if (!held) return;
  pair.setPointerCapture(event.pointerId);
  pair.querySelector("input").focus({ preventScroll: true });
  follow(pair, event);
  event.preventDefault();
});
document.addEventListener("pointermove", (event) => {
  if (held?.hasPointerCapture(event.pointerId)) follow(held, event);
});

// A comparison: any two of the stacked pictures on the two sides of the slider beside the two lists.
document.addEventListener("change", ({ target }) => {
  const chooser = target.closest(".choose");
  if (!chooser) return;
  const pair = chooser.parentElement.querySelector(".pair");
  for (const select of chooser.querySelectorAll("select[data-side]")) {
    const side = select.dataset.side;
    const name = select.selectedOptions[0].text;
    pair.dataset[side] = name;
    pair.querySelector(`.tag[data-side="${side}"]`).textContent = name;
    for (const image of pair.querySelectorAll("img")) {
      image.classList.toggle(side, image.dataset.index === select.value);
    }
  }
  place(pair, Number(pair.querySelector("input").value));
});
