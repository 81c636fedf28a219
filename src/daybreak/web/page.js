// The zoom of the slider: the middle of what is seen stays where it is.
document.addEventListener("change", ({ target }) => {
  if (!target.matches("select.zoom")) return;
  const box = target.closest(".comparison").querySelector(".zoomed");
  const [x, y] = [box.scrollLeft + box.clientWidth / 2, box.scrollTop + box.clientHeight / 2];
  const grow = Number(target.value) / Number(getComputedStyle(box).getPropertyValue("--zoom"));
  box.style.setProperty("--zoom", target.value);
  box.classList.toggle("closer", Number(target.value) > 1);
  box.tabIndex = 0;
  box.scrollTo(x * grow - box.clientWidth / 2, y * grow - box.clientHeight / 2);
});

// Pictures from the clipboard, as if they had been dropped.
document.addEventListener("paste", (event) => {
  const pasted = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
  const input = document.querySelector("#pictures input[type=file]");
  if (!pasted.length || !input) return;
  const files = new DataTransfer();
  for (const file of pasted) files.items.add(file);
  input.files = files.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
  event.preventDefault();
});
