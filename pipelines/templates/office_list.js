"use strict";
(() => {
  const form = document.querySelector("form");
  const body = document.querySelector("tbody");
  const rows = [...body.rows];
  const search = form.elements.namedItem("search");
  const risk = form.elements.namedItem("risk");
  const chosen = form.elements.namedItem("chosen");
  const shown = document.querySelector("output");

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      const fits = words.every((word) => text.includes(word))
        && (risk.value === "" || row.dataset.risk === risk.value)
        && (chosen.value === "" || row.dataset.chosen === chosen.value);
      row.hidden = !fits;
      count += fits ? 1 : 0;
    }
    shown.textContent = `${count} of ${rows.length} shown`;
  };

  const sort = (header, key) => {
    const ascending = header.getAttribute("aria-sort") !== "ascending";
    for (const other of document.querySelectorAll("thead th")) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    const number = (row) => (row.dataset[key] === "" ? Number.NEGATIVE_INFINITY : Number(row.dataset[key]));
    const sign = ascending ? 1 : -1;
    rows.sort((a, b) => sign * (number(a) - number(b)) || Number(a.dataset.rank) - Number(b.dataset.rank));
    body.append(...rows);
  };

  for (const button of document.querySelectorAll("thead button")) {
    button.addEventListener("click", () => sort(button.closest("th"), button.dataset.key));
  }
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  filter();
})();
