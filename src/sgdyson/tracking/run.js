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

function drawMatrix() {
  const m = matrices[choice.value];
  slider.max = m.records.length - 1;
  slider.value = slider.max;
  drawSpectrum();
  plot("levels", m.levels.map((y, i) => ({
    x: m.times, y, mode: "lines", showlegend: false, name: `level ${m.shown[i] + 1}`,
    line: { width: 1, color: i < m.outliers ? red : blue },
  })), "step", "singular value");
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
