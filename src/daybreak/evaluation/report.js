
// Tables that are sorted by the buttons in their heads; what has no number stays last.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  const value = (row, place) => {
    const cell = row.cells[place];
    return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value);
  };
  const sort = (place, direction) => {
    const sign = direction === "ascending" ? 1 : -1;
    const rows = [...table.tBodies[0].rows];
    rows.sort((one, other) => {
      const [a, b] = [value(one, place), value(other, place)];
      if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
      if (a === b) return 0; // two infinities, too
      return sign * (typeof a === "string" ? a.localeCompare(b, "en", { numeric: true }) : a - b);
    });
    table.tBodies[0].append(...rows);
    for (const head of heads) head.removeAttribute("aria-sort");
    heads[place].setAttribute("aria-sort", direction);
  };
  heads.forEach((head, place) => {
    head.querySelector("button")?.addEventListener("click", () => {
      const turned = { ascending: "descending", descending: "ascending" };
      sort(place, turned[head.getAttribute("aria-sort")] ?? head.dataset.first);
    });
  });
}
