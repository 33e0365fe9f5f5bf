"use strict";
const panels = JSON.parse(document.getElementById("panels").textContent);
const font = { family: "system-ui, sans-serif", size: 12, color: "#222222" };
for (const [id, panel] of Object.entries(panels)) {
  const layout = Object.assign({ font, autosize: true, paper_bgcolor: "#fff", plot_bgcolor: "#fff" }, panel.layout);
  Plotly.newPlot(id, panel.data, layout, { responsive: true, displaylogo: false, displayModeBar: false });
}

const search = document.getElementById("search");
search.addEventListener("input", () => {
  const words = search.value.toLowerCase().split(/\s+/);
  for (const row of document.querySelectorAll("#checks tbody tr")) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
  }
});
