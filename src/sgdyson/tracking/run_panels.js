"use strict";
// Pictures of one matrix. A place is the number of its run: "" of the first, "-1" of the second, ...
const font = { family: "system-ui, sans-serif", size: 12, color: "#222222" };
const [blue, red, green] = ["#0072B2", "#D55E00", "#009E73"];
const shades = [red, blue, green, "#CC79A7", "#E69F00", "#56B4E9", "#8A6D00", "#666666"];
const runs = JSON.parse(document.getElementById("runs").textContent);

function plot(id, data, x, y, more = {}) {
  const axis = { showgrid: false, zeroline: false, showline: true, linecolor: "#888", ticks: "outside", automargin: true };
  const layout = {
    font, autosize: true, paper_bgcolor: "#fff", plot_bgcolor: "#fff", bargap: 0.02,
    margin: { l: 60, r: 16, t: 48, b: 48 }, legend: { orientation: "h", y: 1.02, yanchor: "bottom" },
    ...(more.layout || {}),
    xaxis: { ...axis, title: { text: x }, ...(more.xaxis || {}) },
    yaxis: { ...axis, title: { text: y }, ...(more.yaxis || {}) },
  };
  const panel = document.getElementById(id);
  if (!panel.data) panel.replaceChildren();
  panel.hidden = false;
  panel.classList.remove("words");
  delete panel.dataset.why;
  Plotly.react(id, data, layout, { responsive: true, displaylogo: false, displayModeBar: false });
}

function say(id, text, note = text) { // in place of a picture; a note where no run has one
  Plotly.purge(id);
  const panel = document.getElementById(id);
  panel.textContent = text;
  panel.dataset.why = note;
  panel.classList.add("words");
}

// Pictures that no run has leave no gap: their reasons stand below, once each.
function arrange(kinds, places) {
  const reasons = new Set();
  let shown = [];
  for (const kind of kinds) {
    const panels = places.map((place) => document.getElementById(kind + place));
    const none = panels.every((panel) => panel.dataset.why !== undefined);
    panels.forEach((panel) => { panel.hidden = none; });
    if (none) panels.forEach((panel) => reasons.add(panel.dataset.why));
    else shown = shown.concat(panels);
  }
  shown.forEach((panel, i) => {
    const broad = places.length === 1 && i === shown.length - 1 && shown.length % 2 === 1;
    if (panel.classList.toggle("broad", broad) || panel.data) Plotly.Plots.resize(panel);
  });
  document.getElementById("absent").replaceChildren(...[...reasons].filter(Boolean).map((text) => {
    const item = document.createElement("li");
    item.textContent = text;
    return item;
  }));
}

function line(x, y, colour, name, more = {}) {
  return { x, y, name, mode: "lines+markers", line: { color: colour }, marker: { size: 5 }, ...more };
}

function run_of(place) {
  return runs.length > 1 ? `${runs[place ? Number(place.slice(1)) : 0].name}: ` : "";
}

function drawSpectrum(place, m, number, end) {
  const record = m.records[number];
  const width = m.end / record.counts.length;
  const levels = record.counts.reduce((sum, count) => sum + count, record.beyond);
  const data = [{
    x: record.counts.map((_, i) => (i + 0.5) * width), y: record.counts.map((count) => count / levels / width),
    type: "bar", width, name: run_of(place) + (single ? "all levels" : `step ${record.step}`), marker: { color: blue },
  }, {
    x: record.top, y: record.top.map(() => 0), name: "largest levels", mode: "markers",
    marker: { symbol: "line-ns-open", size: 12, color: "#222" },
  }];
  if (record.law) {
    const [curve, unit, mass] = record.law;
    const [x, y] = m.curves[curve];
    data.push({ x: x.map((v) => v * unit), y: y.map((v) => (v * mass) / unit), name: "Marchenko-Pastur, fitted",
      mode: "lines", line: { color: "#222" } });
  }
  if (record.threshold) {
    const top = Math.max(...data.flatMap((trace) => trace.y));
    data.push({ x: [record.threshold, record.threshold], y: [0, top], name: "outliers above", mode: "lines",
      line: { color: red, dash: "dash" } });
  }
  plot(`spectrum${place}`, data, "singular value", "density", {
    xaxis: { range: [0, end * 1.05] }, layout: { annotations: beyond(record) },
  });
}

function beyond(record) { // an outlier far out would squeeze the axis: it is told in words
  if (!record.beyond) return [];
  const far = record.top.slice(0, Math.min(record.beyond, 3)).map((v) => v.toPrecision(3)).join(", ");
  const text = `beyond this axis: ${record.beyond === 1 ? "1 level," : `${record.beyond} levels,`} ${far}${record.beyond > 3 ? ", …" : ""} →`;
  return [{ text, xref: "paper", yref: "paper", x: 1, y: 1, xanchor: "right", yanchor: "top", showarrow: false, font }];
}

function drawEmergence(place, e) {
  if (!e) {
    say(`emergence${place}`, "No bulk of noise at any record: nothing steps out of it.");
    say(`persistence${place}`, "");
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
  plot(`emergence${place}`, data, "step", `${run_of(place)}largest singular values`, { yaxis: { type: "log" } });
  if (!e.kept) {
    say(`persistence${place}`, "No vectors in this run: give the tracker vectors=8.");
    return;
  }
  plot(`persistence${place}`, e.kept.flatMap(([left, right], i) => [
    line(e.steps, left, shades[i % shades.length], `level ${i + 1}, left`),
    line(e.steps, right, shades[i % shades.length], "right", { line: { color: shades[i % shades.length], dash: "dot" } }),
  ]), "step", `${run_of(place)}overlap with last record`, { yaxis: { range: [0, 1.05] } });
}

function levelAt(e, d) { // between the two records
  const after = e.steps.findIndex((step) => step >= d.step);
  const y = e.levels[d.rank - 1];
  if (after <= 0) return y[Math.max(after, 0)];
  const share = (d.step - e.steps[after - 1]) / (e.steps[after] - e.steps[after - 1]);
  return y[after - 1] * (y[after] / y[after - 1]) ** share; // on the line between them, which is straight in the logarithm
}

function drawLevels(place, m, end, largest) {
  const far = largest > end; // one scale for the bulk and for an outlier far out
  const least = Math.max(Math.min(...m.levels.flat().filter((v) => v > 0)), end / 300);
  const range = far ? [Math.log10(least / 1.05), Math.log10(largest * 1.1)] : [0, largest * 1.05];
  plot(`levels${place}`, m.levels.map((y, i) => ({
    x: m.times, y, mode: "lines", showlegend: false, name: `level ${m.shown[i] + 1}`,
    line: { width: 1, color: i < m.outliers ? red : blue },
  })), "step", `${run_of(place)}singular value`, far || runs.length > 1 ? { yaxis: { range, type: far ? "log" : "linear" } } : {});
}

function drawHistory(place, m) {
  const steps = m.records.map((r) => r.step);
  plot(`outliers${place}`, [line(steps, m.records.map((r) => r.outliers), red, "outliers")], "step", `${run_of(place)}outliers`,
    { yaxis: { rangemode: "tozero" } });
  const ratio = m.records.map((r) => r.ratio);
  if (ratio.some((r) => r !== null)) {
    const bars = { error_y: { type: "data", array: m.records.map((r) => r.ratio_error), thickness: 1 } };
    plot(`ratio${place}`, [line(steps, ratio, blue, "measured", bars),
      line(steps, steps.map(() => 0.5307), "#222", "random matrix", { mode: "lines" }),
      line(steps, steps.map(() => 0.3863), "#888", "independent levels", { mode: "lines" })], "step", `${run_of(place)}mean spacing ratio`);
  } else {
    say(`ratio${place}`, "Fewer than 64 levels: no spacing ratio.");
  }
  plot(`sigma${place}`, [line(steps, m.records.map((r) => r.sigma), green, "sigma of the bulk")], "step",
    `${run_of(place)}noise of the entries`, { yaxis: { rangemode: "tozero" } });
  if (!m.noise) {
    say(`noise${place}`, "No gradients in this run: give the tracker batch_size=.");
    return;
  }
  const positive = (values) => values.map((v) => (v > 0 ? v : null)); // an unbiased |G|² may be below zero
  plot(`noise${place}`, [line(m.times, positive(m.noise), red, "tr Σ of one sample"),
    line(m.times, positive(m.signal), blue, "|G|², where above zero", { mode: "markers" })],
    "step", `${run_of(place)}gradient`, { yaxis: { type: "log" } });
}
