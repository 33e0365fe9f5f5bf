"use strict";
const panels = JSON.parse(document.getElementById("panels").textContent);
const font = { family: "system-ui, sans-serif", size: 12, color: "#222222" };
for (const [id, panel] of Object.entries(panels)) {
  const layout = Object.assign({ font, autosize: true, paper_bgcolor: "#fff", plot_bgcolor: "#fff" }, panel.layout);
  Plotly.newPlot(id, panel.data, layout, { responsive: true, displaylogo: false, displayModeBar: false });
}

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
    const order = (a, b) => {
      const [x, y] = [key(a), key(b)];
      const difference = Number(x) - Number(y);
      return (Number.isNaN(difference) ? x.localeCompare(y) : difference) * (up ? 1 : -1);
    };
    body.append(...[...body.rows].sort(order));
  }));
}

const search = document.getElementById("search");
search.addEventListener("input", () => {
  const words = search.value.toLowerCase().split(/\s+/);
  for (const row of document.querySelectorAll("#checks tbody tr")) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
  }
});
