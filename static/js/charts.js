/* Charts: Plotly in every `.chart[data-chart]` box; the attribute names the json_script element with
   {data, layout}. What the server drew in the box stays until then, and for readers without script.
   `<input type="checkbox" data-chart-log="<box id>">` switches a box to a logarithmic scale; so does a
   button in the chart's own bar. `[data-chart-scale]` does so for all boxes, and the value of
   `select[data-chart-smoothing]` (0 to below 1) smooths all curves; what was measured stays as a faint line. */
"use strict";

(() => {
  const DASHES = ["solid", "4px,4px", "1.5px,3px", "8px,3px,1.5px,3px", "10px,4px"];
  const drawn = new Set();
  const logarithmic = new Set();
  const kept = new Map();

  /* Custom properties hold light-dark(…) as text; a colour is resolved only where it is used. */
  function tokens(box) {
    const probe = document.createElement("i");
    box.append(probe);
    const read = (name) => {
      probe.style.color = `var(${name})`;
      return getComputedStyle(probe).color;
    };
    const found = {
      series: ["--chart-1", "--chart-2", "--chart-3", "--chart-4", "--ink-3"].map(read),
      ink: read("--ink"), ink3: read("--ink-3"), line: read("--line"), raised: read("--raised"),
      accent: read("--accent"),
      font: getComputedStyle(box).fontFamily,
    };
    probe.remove();
    return found;
  }

  const text = (title) => (title && typeof title === "object" ? title.text : title) || "";
  const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

  /* A value between two gaps has no line to be part of, so it gets a dot. */
  function dots(values) {
    return values.map((value, at) =>
      isNumber(value) && !isNumber(values[at - 1]) && !isNumber(values[at + 1]) ? 5 : 0);
  }

  const scale = (look) => [[0, look.raised], [1, look.series[0]]];
  /* Everything but curves: the server names the kind, the look is the page's. */
  const OTHERS = {
    bar: (given, look) => ({ ...given, marker: { color: look.series[0] } }),
    markers: (given, look) => ({ ...given, marker: { color: look.series[0], size: 9 }, hovertemplate: "%{text}<br>%{x}<br>%{y}<extra></extra>" }),
    heatmap: (given, look) => ({ ...given, colorscale: scale(look), showscale: false, xgap: 1, ygap: 1, texttemplate: given.x.length > 12 ? "" : "%{text}", hovertemplate: "%{y}<br>%{x}<br>%{text}<extra></extra>" }),
    parcoords: (given, look) => {
      const type = { size: 11, color: look.ink3, family: look.font };
      return { ...given, line: { ...given.line, colorscale: [[0, look.line], [1, look.series[0]]], showscale: false }, labelfont: { ...type, color: look.ink }, tickfont: type, rangefont: type };
    },
  };
  const kindOf = (given) => (given.mode === "markers" ? "markers" : given.type);

  function trace(given, at, look) {
    if (OTHERS[kindOf(given)]) return OTHERS[kindOf(given)](given, look);
    const colour = look.series[at % look.series.length];
    const size = dots(given.y);
    return {
      type: "scatter", ...given, connectgaps: false,
      mode: size.some(Boolean) ? "lines+markers" : "lines",
      line: { color: colour, width: 1.75, dash: DASHES[at % DASHES.length] },
      marker: { color: colour, size, line: { width: 0 } },
    };
  }

  /* An exponential mean, freed of its leaning towards the first values; gaps stay gaps. */
  function smoothed(values, weight) {
    let mean = 0;
    let known = 0;
    return values.map((value) => {
      if (!isNumber(value)) return value;
      mean = mean * weight + value * (1 - weight);
      known = known * weight + (1 - weight);
      return mean / known;
    });
  }

  function curves(given, at, look) {
    const drawnAs = trace(given, at, look);
    const weight = Number(document.querySelector("[data-chart-smoothing]")?.value) || 0;
    if (!weight || OTHERS[kindOf(given)]) return [drawnAs];
    return [
      { ...drawnAs, opacity: 0.25, hoverinfo: "skip", line: { ...drawnAs.line, dash: "solid" } },
      { ...drawnAs, y: smoothed(given.y, weight) },
    ];
  }

  function layout(given, look, isLog) {
    const type = { size: 11, color: look.ink3, family: look.font };
    const axis = (own) => ({
      ...own, title: undefined, zeroline: false, gridcolor: look.line, linecolor: look.line,
      tickfont: type, automargin: true, fixedrange: false,
    });
    const { xaxis = {}, yaxis = {}, ...rest } = given;
    return {
      ...rest, autosize: true, uirevision: "kept", showlegend: false, hovermode: "x unified",
      paper_bgcolor: "transparent", plot_bgcolor: "transparent", font: type,
      margin: { l: 40, r: 8, t: 8, b: 24 },
      hoverlabel: { bgcolor: look.raised, bordercolor: look.line, font: { ...type, color: look.ink } },
      modebar: { bgcolor: "transparent", color: look.ink3, activecolor: look.accent },
      xaxis: { ...axis(xaxis), showgrid: false, title: text(xaxis.title) ? { text: text(xaxis.title), font: type, standoff: 4 } : undefined },
      yaxis: { ...axis(yaxis), ...(isLog ? { type: "log" } : {}) },
    };
  }

  const scaleButton = {
    name: "Logarithmic scale", title: "Logarithmic or linear scale",
    icon: { width: 16, height: 16, path: "M2 14V2h1.5v10.5H14V14zM5 11c0-5 2-7.5 8-8v1.5c-5 .4-6.5 2.5-6.5 6.5z" },
    click: (box) => setScale(box, !logarithmic.has(box.id)),
  };
  /* Plotly's own bar would offer to send the data to its maker's cloud. */
  const config = {
    showSendToCloud: false, plotlyServerURL: "",
    displaylogo: false, responsive: true, displayModeBar: "hover",
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "toImage"],
  };

  function draw(box) {
    const source = document.getElementById(box.dataset.chart);
    if (!source || !window.Plotly) return;
    const figure = JSON.parse(source.textContent);
    if (!figure.data.length) return;
    if (!drawn.has(box)) box.replaceChildren();
    const look = tokens(box);
    const traces = figure.data.flatMap((one, at) => curves(one, at, look));
    drawn.add(box);
    const kind = kindOf(figure.data[0]);
    const shown = layout(figure.layout || {}, look, logarithmic.has(box.id) && kind === "scatter");
    if (OTHERS[kind]) shown.hovermode = "closest";
    /* Names and ends of parallel axes stand above and below them. */
    if (kind === "parcoords") shown.margin = { l: 48, r: 48, t: 56, b: 24 };
    const bar = kind === "scatter" ? { modeBarButtonsToAdd: [scaleButton] } : {};
    window.Plotly.react(box, traces, shown, { ...config, ...bar });
  }

  function setScale(box, isLog) {
    if (isLog) logarithmic.add(box.id);
    else logarithmic.delete(box.id);
    const toggle = document.querySelector(`[data-chart-log="${CSS.escape(box.id)}"]`);
    if (toggle) toggle.checked = isLog;
    draw(box);
  }

  const boxes = (root) => [...root.querySelectorAll(".chart[data-chart]")];
  const drawAll = () => boxes(document).forEach(draw);

  document.addEventListener("change", (event) => {
    if (event.target.matches?.("[data-chart-scale]")) boxes(document).forEach((box) => setScale(box, event.target.checked));
    if (event.target.matches?.("[data-chart-smoothing]")) drawAll();
    const box = event.target.dataset?.chartLog && document.getElementById(event.target.dataset.chartLog);
    if (box) setScale(box, event.target.checked);
  });

  /* A swap brings new data in a new box. The drawn one takes its place, so that zoom and hover stay. */
  document.addEventListener("htmx:beforeSwap", (event) => {
    for (const box of boxes(event.detail.target)) if (drawn.has(box) && box.id) kept.set(box.id, box);
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const box of boxes(document)) {
      const old = kept.get(box.id);
      if (old && old !== box) {
        old.dataset.chart = box.dataset.chart;
        box.replaceWith(old);
      }
    }
    kept.clear();
    for (const box of drawn) {
      if (box.isConnected) continue;
      window.Plotly.purge(box);
      drawn.delete(box);
    }
    drawAll();
  });

  new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  drawAll();
})();
