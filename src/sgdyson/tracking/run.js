"use strict";
// The page itself: which matrix, which record, which rows; what is drawn of all matrices and all runs.
const matrices = JSON.parse(document.getElementById("matrices").textContent);
const choice = document.getElementById("matrix");
const slider = document.getElementById("time");
const shown = document.getElementById("shown");
const quantity = document.getElementById("quantity");
const filter = document.getElementById("filter");
const names = [...new Set(matrices.map((m) => m.name))];
const places = runs.map((_, i) => (i ? `-${i}` : ""));
const single = runs.every((run) => run.overview.steps.length < 2); // nothing over time
const kinds = ["spectrum", "levels", "emergence", "persistence", "outliers", "ratio", "sigma", "noise"];

function of_runs(name) { // its matrix in each run, or undefined
  return runs.map((_, run) => matrices.find((m) => m.run === run && m.name === name));
}

function most_of(all, key) {
  return Math.max(...all.filter(Boolean).map((m) => m[key]));
}

function drawSpectra() {
  const all = of_runs(names[choice.value]);
  const steps = [];
  all.forEach((m, run) => {
    if (!m) return;
    const number = slider.max > 0 ? Math.round((slider.value / slider.max) * (m.records.length - 1)) : 0;
    steps.push(m.records[number].step);
    drawSpectrum(places[run], m, number, most_of(all, "end"));
  });
  shown.textContent = `step ${steps.join(", ")}`;
}

function drawMatrix() {
  const all = of_runs(names[choice.value]);
  slider.max = Math.max(...all.filter(Boolean).map((m) => m.records.length)) - 1;
  slider.value = slider.max;
  const words = [];
  all.forEach((m, run) => {
    if (!m || single) {
      const why = m ? "" : `${runs[run].name} has no such matrix.`;
      kinds.forEach((kind) => say(kind + places[run], why, ""));
      return;
    }
    drawLevels(places[run], m, most_of(all, "end"), most_of(all, "largest"));
    drawEmergence(places[run], m.emergence);
    drawHistory(places[run], m);
    words.push(...(m.emergence ? m.emergence.detachments : []).map((d) => run_of(places[run]) + d.words));
  });
  document.getElementById("detachments").replaceChildren(...words.map((text) => {
    const item = document.createElement("li");
    item.textContent = text;
    return item;
  }));
  drawSpectra();
  arrange(kinds, places);
}

function wanted(text) {
  return filter.value.toLowerCase().split(/\s+/).every((word) => text.toLowerCase().includes(word));
}

function rangeOf(quantity) { // one scale of colours for all runs and whatever rows are shown
  let [least, most] = [Infinity, -Infinity];
  runs.forEach((run) => (run.overview.maps[quantity] || { rows: [] }).rows.flat().forEach((value) => {
    if (value !== null) [least, most] = [Math.min(least, value), Math.max(most, value)];
  }));
  return most > least ? [least, most] : [Math.min(least, 0), Math.max(most, 0) || 1];
}

function drawOverview() {
  const [zmin, zmax] = rangeOf(quantity.value);
  runs.forEach((run, number) => {
    const map = run.overview.maps[quantity.value];
    const id = `overview${places[number]}-map`;
    const lines = run.overview.names.map((name, i) => [name, i]).filter(([name]) => wanted(name)).reverse();
    if (!map || !lines.length) {
      say(id, `${run.name}: nothing to show.`);
      return;
    }
    const panel = document.getElementById(id);
    panel.style.height = `${Math.min(Math.max(14 * lines.length + 110, 220), 900)}px`;
    const room = Math.min(8 + 6.2 * Math.max(...lines.map(([name]) => name.length)), panel.clientWidth / 3);
    const short = (name) => (6.2 * name.length > room ? `…${name.slice(-Math.floor(room / 6.6))}` : name);
    const apart = Math.ceil((13 * lines.length) / (panel.clientHeight - 110)); // rows, so that labels do not meet
    const labelled = lines.map(([name], i) => [i, name]).filter(([i]) => (lines.length - 1 - i) % apart === 0);
    const steps = run.overview.steps; // records are equally wide, whatever lies between them
    const every = Math.ceil(steps.length / Math.max(panel.clientWidth / 110, 2));
    plot(id, [{
      type: "heatmap", y: lines.map((_, i) => i), z: lines.map(([, i]) => map.rows[i]), colorscale: "Viridis", zmin, zmax,
      text: lines.map(([name]) => steps.map((step) => `${name}<br>step ${step}`)), customdata: lines.map(([name]) => steps.map(() => name)),
      hovertemplate: "%{text}<br>%{z}<extra></extra>", colorbar: { thickness: 12 }, hoverongaps: false,
    }], "step", "", {
      xaxis: { tickvals: steps.map((_, i) => i).filter((i) => i % every === 0), ticktext: steps.filter((_, i) => i % every === 0) },
      layout: { margin: { l: room + 12, r: 8, t: 32, b: 44 }, title: { text: `${run_of(places[number])}${map.title}`, font: { size: 13 } } },
      yaxis: { tickvals: labelled.map(([i]) => i), ticktext: labelled.map(([, name]) => short(name)), tickfont: { size: 10 }, ticks: "" },
    });
    panel.removeAllListeners("plotly_click");
    panel.on("plotly_click", (event) => { location.hash = encodeURIComponent(event.points[0].customdata); });
  });
}

function drawScalars() {
  const home = document.getElementById("scalars");
  const series = [...new Set(runs.flatMap((run) => run.scalars.map((s) => s.name)))];
  if (!series.length) {
    home.outerHTML = '<p class="soft">None in this run: <code>tracker.log_scalar("loss", value)</code>, optimizer= or learning_rate=.</p>';
    return;
  }
  series.forEach((name, number) => {
    const panel = document.createElement("div");
    panel.className = number % 2 === 0 && number === series.length - 1 ? "panel broad" : "panel";
    panel.id = `scalar-${number}`;
    home.append(panel);
    const data = runs.flatMap((run, i) => run.scalars.filter((s) => s.name === name).map((s) => ({
      x: s.steps, y: s.values, mode: s.steps.length > 40 ? "lines" : "lines+markers", marker: { size: 4 }, showlegend: runs.length > 1,
      name: run.name, line: { width: 1.5, color: [blue, red, green, ...shades.slice(3)][i % shades.length] }, averaged: s.averaged,
    })));
    const values = data.flatMap((trace) => trace.y).filter((v) => v !== null);
    const wide = Math.min(...values) > 0 && Math.max(...values) > 30 * Math.min(...values);
    const means = data.some((trace) => trace.averaged) ? ", means of stretches" : "";
    const constant = Math.min(...values) === Math.max(...values);
    plot(panel.id, data, "step", name + means, { yaxis: { type: wide ? "log" : "linear", rangemode: constant ? "tozero" : "normal" } });
  });
}

function choose(name) {
  if (!names.includes(name)) return;
  choice.value = names.indexOf(name);
  drawMatrix();
}

function follow() { // a link to a matrix
  const name = decodeURIComponent(location.hash.slice(1));
  if (!names.includes(name)) return;
  choose(name);
  document.getElementById("over-time").scrollIntoView();
}

function narrow() {
  for (const row of document.querySelectorAll("#matrices-table tbody tr")) {
    row.hidden = !wanted(row.querySelector("a.matrix").textContent);
  }
  for (const option of choice.options) option.hidden = !wanted(names[option.value]);
  if (!single) drawOverview();
}

names.forEach((name, i) => {
  const m = matrices.find((one) => one.name === name);
  choice.add(new Option(`${name} (${m.shape.join(" x ")})`, i));
});
for (const [key, map] of Object.entries(Object.assign({}, ...runs.map((run) => run.overview.maps)))) {
  quantity.add(new Option(map.title, key));
}
places.forEach((place) => {
  const panel = document.createElement("div");
  panel.className = "panel";
  panel.id = `overview${place}-map`;
  document.getElementById("overview").append(panel);
});
choice.addEventListener("change", () => {
  history.replaceState(null, "", `#${encodeURIComponent(names[choice.value])}`);
  drawMatrix();
});
slider.addEventListener("input", drawSpectra);
quantity.addEventListener("change", drawOverview);
filter.addEventListener("input", narrow);
addEventListener("hashchange", follow);
document.getElementById("download").href = URL.createObjectURL(
  new Blob([JSON.parse(document.getElementById("csv").textContent)], { type: "text/csv" }));
if (single) {
  document.querySelectorAll(".over-time").forEach((part) => { part.hidden = true; });
  document.querySelector("#over-time h2").textContent = "One matrix";
  document.getElementById("table-head").textContent = "Every weight matrix";
}
drawScalars();
if (!single) drawOverview();
drawMatrix();
follow();
