"use strict";
// Without this script all pictures and tables are there; with it they can be slid, sorted and filtered.
document.documentElement.classList.add("scripted");

function element(name, properties) {
  return Object.assign(document.createElement(name), properties);
}

// A slider per image moves every network's way to every class together.
document.querySelectorAll("[data-slider]").forEach((place, number) => {
  const stops = place.dataset.slider.split(" ").map(Number);
  const words = place.dataset.words.split("|");
  const entry = place.closest(".entry");
  const label = element("label", { textContent: "ρ ", htmlFor: `slider-${number}` });
  const input = element("input", { type: "range", id: `slider-${number}`, min: 0, max: stops.length - 1, step: 1 });
  const output = element("output", { htmlFor: input.id });
  const show = () => {
    const stop = stops[input.value];
    output.textContent = words[input.value];
    input.setAttribute("aria-valuetext", `ρ ${words[input.value]}`);
    entry.querySelectorAll(".steps").forEach((steps) => {
      const near = (step) => Math.abs(Number(step.dataset.rho) - stop);
      const nearest = [...steps.children].reduce((best, step) => (near(step) < near(best) ? step : best));
      for (const step of steps.children) step.classList.toggle("current", step === nearest);
    });
  };
  input.addEventListener("input", show);
  place.append(label, input, output);
  input.value = stops.length - 1;
  show();
});

// Numbers are sorted largest first, words from a to z; what has no number comes last either way.
document.querySelectorAll("table[data-sortable]").forEach((table) => {
  const body = table.tBodies[0];
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = element("button", { type: "button", className: "sort" });
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const numeric = head.dataset.kind === "number";
      const first = numeric ? "descending" : "ascending";
      const other = numeric ? "ascending" : "descending";
      const order = head.getAttribute("aria-sort") === first ? other : first;
      for (const cell of table.tHead.rows[0].cells) cell.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", order);
      const way = order === "ascending" ? 1 : -1;
      const value = (row) => row.cells[column].dataset.value;
      const text = (row) => row.cells[column].textContent.trim();
      const compare = (a, b) => {
        if (!numeric) return way * text(a).localeCompare(text(b), undefined, { numeric: true });
        const [left, right] = [value(a), value(b)];
        if (!left || !right) return Number(!left) - Number(!right);
        return way * (Number(left) - Number(right));
      };
      body.append(...[...body.rows].sort(compare));
    });
  });
});

// A long table can be narrowed down to rows with some words.
document.querySelectorAll("table[data-filter]").forEach((table) => {
  if (table.tBodies[0].rows.length < 6) return;
  const name = `filter ${table.dataset.filter}`;
  const input = element("input", { type: "search", className: "filter", placeholder: name });
  input.setAttribute("aria-label", name);
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    for (const row of table.tBodies[0].rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
  table.parentElement.before(input);
  const group = element("div", { className: "filtered" });
  input.before(group);
  group.append(input, table.parentElement);
});
