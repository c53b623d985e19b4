// Draws every <figure data-chart='{…}'> as service/ui/charts.py describes it. The page is whole without it:
// below each chart its numbers stand in a table, and that is where keys and screen readers open the lists.
"use strict";

(() => {
  const DARK = matchMedia("(prefers-color-scheme: dark)");
  const NUMBER = new Intl.NumberFormat("vi");
  const ROW = 40; // px of a lying bar
  const DASHES = ["solid", "dashed", "dotted"];
  const drawn = new Map();
  const watch = new ResizeObserver((seen) => {
    for (const { target } of seen) draw(target);
  });

  function colours() {
    const style = getComputedStyle(document.documentElement);
    const read = (name) => style.getPropertyValue(name).trim();
    return {
      bad: read("--bad"),
      good: read("--good"),
      quiet: read("--quiet"),
      do: read("--do"),
      why: read("--why"),
      primary: read("--pico-primary"),
      text: read("--pico-color"),
      line: read("--line"),
      paper: read("--paper"),
      font: read("--pico-font-family"),
    };
  }

  // ECharts takes names of colours and rgb(), but not what a browser may give back for a variable of Pico
  function plain(palette) {
    const pen = document.createElement("canvas").getContext("2d");
    const of = (colour) => {
      pen.fillStyle = colour;
      return pen.fillStyle;
    };
    return Object.fromEntries(
      Object.entries(palette).map(([name, value]) => [name, name === "font" ? value : of(value)]),
    );
  }

  function told(chart, series, at) {
    const value = series.values[at];
    if (value === null) return `${series.name}: ${chart.suppressed}`;
    const [low, high] = [series.low[at], series.high[at]];
    const between = low == null ? "" : ` (${NUMBER.format(low)} ${chart.between} ${NUMBER.format(high)})`;
    return `${series.name}: ${NUMBER.format(value)}${between}`;
  }

  function common(chart, paint) {
    const text = { color: paint.text, fontFamily: paint.font };
    return {
      animation: false,
      textStyle: text,
      aria: { enabled: true, label: { description: chart.about }, decal: { show: chart.kind === "bars" } },
      tooltip: {
        trigger: "axis",
        axisPointer: { type: chart.kind === "bars" ? "shadow" : "line" },
        renderMode: "richText", // HTML would bring styles of its own, which the page forbids
        confine: true,
        backgroundColor: paint.paper,
        borderColor: paint.line,
        textStyle: text,
        formatter: ([{ dataIndex }]) =>
          [chart.labels[dataIndex], ...chart.series.map((own) => told(chart, own, dataIndex))].join("\n"),
      },
      legend: {
        show: chart.series.length > 1,
        top: 0,
        left: 0,
        textStyle: text,
        data: chart.series.map((own) => own.name),
      },
    };
  }

  function values(chart, paint) {
    return {
      type: "value",
      min: 0,
      max: chart.most ?? undefined,
      axisLabel: { color: paint.quiet, formatter: (value) => NUMBER.format(value), hideOverlap: true },
      splitLine: { lineStyle: { color: paint.line } },
      minInterval: 1,
    };
  }

  function point(series, at) {
    const link = series.links[at];
    return { value: series.values[at], link, cursor: link ? "pointer" : "default" };
  }

  function bars(chart, paint, width) {
    const room = Math.round(Math.min(300, width * 0.42));
    return {
      ...common(chart, paint),
      grid: { left: room, right: 24, top: chart.series.length > 1 ? 56 : 8, bottom: 28 },
      xAxis: values(chart, paint),
      yAxis: {
        type: "category",
        inverse: true,
        data: chart.labels,
        axisTick: { show: false },
        axisLine: { lineStyle: { color: paint.line } },
        axisLabel: {
          color: paint.text, interval: 0, width: room - 12, overflow: "truncate", lineOverflow: "truncate",
          lineHeight: 15, fontSize: 12, formatter: (name) => wrapped(name, room - 12),
        },
      },
      series: chart.series.map((own) => ({
        type: "bar",
        name: own.name,
        stack: "all",
        barMaxWidth: 22,
        color: paint[own.colour],
        itemStyle: { borderColor: paint.paper, borderWidth: 1 },
        data: chart.labels.map((_, at) => point(own, at)),
      })),
    };
  }

  // a name in two lines at most, cut between words
  function wrapped(name, width) {
    const chars = Math.floor(width / 6.4);
    if (name.length <= chars) return name;
    const at = name.lastIndexOf(" ", chars);
    const rest = name.slice(at + 1);
    return `${name.slice(0, at)}\n${rest.length > chars ? `${rest.slice(0, chars - 1)}…` : rest}`;
  }

  // an interval is an area that stands on an unseen line at its lower end
  function band(own, number, paint) {
    const unseen = {
      type: "line", stack: `band-${number}`, symbol: "none", silent: true, lineStyle: { width: 0 },
      tooltip: { show: false }, color: paint[own.colour],
    };
    const height = own.high.map((high, at) => (high == null ? null : high - own.low[at]));
    return [
      { ...unseen, data: own.low },
      { ...unseen, data: height, areaStyle: { opacity: 0.18 } },
    ];
  }

  function lines(chart, paint) {
    return {
      ...common(chart, paint),
      grid: { left: 8, right: 16, top: chart.series.length > 1 ? 56 : 12, bottom: 4, containLabel: true },
      xAxis: {
        type: "category",
        data: chart.labels,
        boundaryGap: false,
        axisLine: { lineStyle: { color: paint.line } },
        axisLabel: { color: paint.quiet, hideOverlap: true },
      },
      yAxis: values(chart, paint),
      series: chart.series.flatMap((own, number) => [
        ...(own.low.length ? band(own, number, paint) : []),
        {
          type: "line",
          name: own.name,
          color: paint[own.colour],
          lineStyle: { width: 2, type: DASHES[number % DASHES.length] },
          symbol: ["circle", "rect", "triangle", "diamond"][number % 4],
          symbolSize: 9,
          triggerLineEvent: false,
          data: chart.labels.map((_, at) => point(own, at)),
        },
      ]),
    };
  }

  function draw(canvas) {
    const chart = JSON.parse(canvas.parentElement.dataset.chart);
    const width = canvas.clientWidth;
    if (!width) return;
    const made = drawn.get(canvas) ?? begin(canvas);
    const options = { bars, lines }[chart.kind];
    made.resize();
    made.setOption(options(chart, plain(colours()), width), { notMerge: true });
  }

  function begin(canvas) {
    const made = echarts.init(canvas, null, { locale: "VI" });
    made.on("click", ({ data }) => {
      if (data?.link?.startsWith("/")) location.assign(data.link);
    });
    drawn.set(canvas, made);
    return made;
  }

  function find(part) {
    for (const [canvas, made] of drawn) {
      if (canvas.isConnected) continue;
      made.dispose();
      watch.unobserve(canvas);
      drawn.delete(canvas);
    }
    for (const figure of part.querySelectorAll("[data-chart]")) {
      if (figure.querySelector(".canvas")) continue;
      const chart = JSON.parse(figure.dataset.chart);
      const canvas = document.createElement("div");
      canvas.className = "canvas";
      if (chart.kind === "bars") canvas.style.height = `${chart.labels.length * ROW + 90}px`;
      figure.prepend(canvas);
      watch.observe(canvas); // draws at once, and again when the width changes
    }
  }

  DARK.addEventListener("change", () => drawn.forEach((_, canvas) => draw(canvas)));
  document.addEventListener("htmx:load", () => find(document));
  find(document);
})();
