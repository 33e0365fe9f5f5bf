"use strict";
const matrices = JSON.parse(document.getElementById("matrices").textContent);
const font = { family: "system-ui, sans-serif", size: 12, color: "#222222" };
const [blue, red, green] = ["#0072B2", "#D55E00", "#009E73"];
const choice = document.getElementById("matrix");
const slider = document.getElementById("time");
const shown = document.getElementById("shown");

function plot(id, data, x, y, more = {}) {
  const axis = { showgrid: false, zeroline: false, showline: true, linecolor: "#888", ticks: "outside" };
  const layout = {
    font, autosize: true, paper_bgcolor: "#fff", plot_bgcolor: "#fff", bargap: 0.02,
    margin: { l: 60, r: 16, t: 48, b: 48 }, legend: { orientation: "h", y: 1.02, yanchor: "bottom" },
    xaxis: { ...axis, title: { text: x }, ...(more.xaxis || {}) },
    yaxis: { ...axis, title: { text: y }, ...(more.yaxis || {}) },
  };
  Plotly.react(id, data, layout, { responsive: true, displaylogo: false, displayModeBar: false });
}

function line(x, y, colour, name, more = {}) {
  return { x, y, name, mode: "lines+markers", line: { color: colour }, marker: { size: 5 }, ...more };
}

function drawSpectrum() {
  const m = matrices[choice.value];
  const record = m.records[slider.value];
  shown.textContent = `step ${record.step}`;
  const largest = Math.max(...m.records.map((r) => r.values[0]));
  const width = largest / 60;
  const bars = {
    x: record.values, type: "histogram", histnorm: "probability density", name: "singular values",
    autobinx: false, xbins: { start: 0, end: largest + width, size: width }, marker: { color: blue },
  };
  const data = [bars];
  if (record.law) {
    data.push({ x: record.law[0], y: record.law[1], name: "Marchenko-Pastur, fitted", mode: "lines", line: { color: "#222" } });
  }
  if (record.threshold) {
    data.push({ x: [record.threshold, record.threshold], y: [0, Math.max(...(record.law ? record.law[1] : [1]))],
      name: "outliers above", mode: "lines", line: { color: red, dash: "dash" } });
  }
  plot("spectrum", data, "singular value", "density", { xaxis: { range: [0, largest * 1.05] } });
}

const shades = [red, blue, green, "#CC79A7", "#E69F00", "#56B4E9", "#8A6D00", "#666666"];

function drawEmergence(e) {
  const list = document.getElementById("detachments");
  list.replaceChildren(...(e ? e.detachments : []).map((d) => {
    const item = document.createElement("li");
    item.textContent = d.words;
    return item;
  }));
  if (!e) {
    ["emergence", "persistence"].forEach((id) => Plotly.purge(id));
    document.getElementById("emergence").textContent = "No bulk of noise at any record: nothing steps out of it.";
    document.getElementById("persistence").textContent = "";
    return;
  }
  const out = Math.max(0, ...e.detachments.map((d) => d.rank));
  const invisible = { mode: "lines", line: { width: 0 }, hoverinfo: "skip" };
  const data = [
    { x: e.steps, y: e.low, showlegend: false, ...invisible },
    { x: e.steps, y: e.high, name: "largest level of noise, 90 %", fill: "tonexty", fillcolor: "rgba(0,0,0,0.15)", ...invisible },
    { x: e.steps, y: e.edge, name: "edge of the bulk", mode: "lines", line: { color: "#222", dash: "dash", width: 1 } },
    ...e.levels.map((y, i) => ({ x: e.steps, y, name: `level ${i + 1}`, mode: "lines+markers", showlegend: i < out,
      marker: { size: 4 }, line: { width: i < out ? 2 : 1, color: i < out ? shades[i] : "#bbb" } })).reverse(),
    ...e.detachments.filter((d) => d.rank <= e.levels.length).map((d) => ({
      x: [d.step], y: [levelAt(e, d)], name: d.words, showlegend: false, mode: "markers",
      marker: { symbol: "diamond", size: 10, color: shades[d.rank - 1], line: { color: "#222", width: 1 } },
      error_x: { type: "data", array: [d.error], color: "#222", thickness: 1.5 },
    })),
  ];
  plot("emergence", data, "step", "largest singular values", { yaxis: { type: "log" } });
  if (!e.kept) {
    Plotly.purge("persistence");
    document.getElementById("persistence").textContent = "No vectors in this run: give the tracker vectors=8.";
    return;
  }
  plot("persistence", e.kept.flatMap(([left, right], i) => [
    line(e.steps, left, shades[i % shades.length], `level ${i + 1}, left`),
    line(e.steps, right, shades[i % shades.length], "right", { line: { color: shades[i % shades.length], dash: "dot" } }),
  ]), "step", "overlap with last record", { yaxis: { range: [0, 1.05] } });
}

function levelAt(e, d) { // between the two records
  const after = e.steps.findIndex((step) => step >= d.step);
  const y = e.levels[d.rank - 1];
  if (after <= 0) return y[Math.max(after, 0)];
  const share = (d.step - e.steps[after - 1]) / (e.steps[after] - e.steps[after - 1]);
  return y[after - 1] + share * (y[after] - y[after - 1]);
}

function drawMatrix() {
  const m = matrices[choice.value];
  slider.max = m.records.length - 1;
  slider.value = slider.max;
  drawSpectrum();
  plot("levels", m.levels.map((y, i) => ({
    x: m.times, y, mode: "lines", showlegend: false, name: `level ${m.shown[i] + 1}`,
    line: { width: 1, color: i < m.outliers ? red : blue },
  })), "step", "singular value");
  drawEmergence(m.emergence);
  const steps = m.records.map((r) => r.step);
  plot("outliers", [line(steps, m.records.map((r) => r.outliers), red, "outliers")], "step", "outliers",
    { yaxis: { rangemode: "tozero" } });
  const ratio = m.records.map((r) => r.ratio);
  if (ratio.some((r) => r !== null)) {
    const bars = { error_y: { type: "data", array: m.records.map((r) => r.ratio_error), thickness: 1 } };
    plot("ratio", [line(steps, ratio, blue, "measured", bars),
      line(steps, steps.map(() => 0.5307), "#222", "random matrix", { mode: "lines" }),
      line(steps, steps.map(() => 0.3863), "#888", "independent levels", { mode: "lines" })], "step", "mean spacing ratio");
  } else {
    Plotly.purge("ratio");
    document.getElementById("ratio").textContent = "Fewer than 64 levels: no spacing ratio.";
  }
  const noise = [line(steps, m.records.map((r) => r.sigma), green, "sigma of the bulk")];
  plot("sigma", noise, "step", "noise of the entries", { yaxis: { rangemode: "tozero" } });
  if (m.noise) {
    const positive = (values) => values.map((v) => (v > 0 ? v : null)); // an unbiased |G|² may be below zero
    plot("noise", [line(m.times, positive(m.noise), red, "tr Σ of one sample"),
      line(m.times, positive(m.signal), blue, "|G|², where above zero", { mode: "markers" })],
      "step", "gradient", { yaxis: { type: "log" } });
  } else {
    Plotly.purge("noise");
    document.getElementById("noise").textContent = "No gradients in this run: give the tracker batch_size=.";
  }
}

matrices.forEach((m, i) => choice.add(new Option(`${m.name} (${m.shape.join(" x ")})`, i)));
choice.addEventListener("change", drawMatrix);
slider.addEventListener("input", drawSpectrum);
drawMatrix();
