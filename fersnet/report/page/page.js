"use strict";
// Sorting, filtering and folding of the page's tables; without it all columns show, in the order of the files.
document.documentElement.classList.add("scripted");

const compare = (left, right) => {
  const [a, b] = [left, right].map((value) => (value === "" ? NaN : Number(value)));
  if (left === "" || right === "") return (left === "") - (right === "");
  return Number.isNaN(a) || Number.isNaN(b) ? left.localeCompare(right) : a - b;
};

const sortBy = (table, header) => {
  const ascending = header.getAttribute("aria-sort") !== "ascending";
  for (const other of header.parentNode.children) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  const place = [...header.parentNode.children].indexOf(header);
  for (const body of table.tBodies) {
    const rows = [...body.rows].filter((row) => row.dataset.kind === "row");
    const value = (row) => row.cells[place].dataset.value;
    // What is missing stays last in either direction.
    rows.sort((a, b) => (value(a) === "" || value(b) === "" || ascending ? 1 : -1) * compare(value(a), value(b)));
    // References stand below the rows that they are for.
    body.append(...rows, ...[...body.rows].filter((row) => row.dataset.kind === "reference"));
  }
};

const addButton = (tools, wrapper, name, words) => {
  const button = document.createElement("button");
  button.type = "button";
  const show = (folded) => {
    wrapper.classList.toggle(name, folded);
    button.setAttribute("aria-expanded", String(!folded));
    button.textContent = folded ? words[0] : words[1];
    watch(wrapper);
  };
  button.addEventListener("click", () => show(button.getAttribute("aria-expanded") === "true"));
  tools.append(button);
  show(true);
};

const watch = (wrapper) => wrapper.classList.toggle("overflowing", wrapper.scrollWidth > wrapper.clientWidth + 1);

const addFilter = (tools, table) => {
  const label = document.createElement("label");
  const input = document.createElement("input");
  const count = document.createElement("span");
  input.type = "search";
  count.setAttribute("role", "status");
  label.append("Filter rows ", input);
  tools.append(label, count);
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    let all = 0;
    for (const body of table.tBodies) {
      const group = body.dataset.group.toLowerCase();
      let here = 0;
      for (const row of [...body.rows].filter((one) => one.dataset.kind)) {
        const text = `${group} ${row.textContent.toLowerCase()}`;
        row.hidden = !words.every((word) => text.includes(word));
        here += !row.hidden;
        all += 1;
      }
      body.hidden = here === 0;
      shown += here;
    }
    count.textContent = words.length ? `${shown} of ${all} rows` : "";
  });
};

for (const wrapper of document.querySelectorAll(".wide")) {
  const table = wrapper.querySelector("table");
  if (table.classList.contains("sorted")) {
    for (const header of table.tHead.rows[0].cells) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...header.childNodes);
      header.append(button);
      button.addEventListener("click", () => sortBy(table, header));
    }
    const tools = document.createElement("div");
    tools.className = "tools";
    wrapper.before(tools);
    if (table.querySelectorAll("tbody tr[data-kind]").length > 5) addFilter(tools, table);
    const columns = table.tHead.querySelectorAll("th.later").length;
    if (columns) addButton(tools, wrapper, "folded", [`Show ${columns} more column${columns > 1 ? "s" : ""}`, "Show fewer columns"]);
  }
  const hint = document.createElement("p");
  hint.className = "more-there";
  hint.textContent = "The table goes on to the right: scroll it sideways, or with the arrow keys.";
  wrapper.after(hint);
  new ResizeObserver(() => watch(wrapper)).observe(wrapper);
}
