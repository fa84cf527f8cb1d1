"use strict";
// Put before the page's own script, with `recorded` set to what a daemon said: answers for it, lets it vanish for
// a while, and writes what it finds into the document when all is over. Loaded from a file, without the page's policy.
(() => {
  const full = { history: structuredClone(recorded.history), status: recorded.status };
  const points = full.history.capacity;
  const now = Math.floor(Date.now() / 1000);
  const wave = (scale) => Array.from({ length: points }, (_, i) => scale * (1 + Math.sin(i / 20)));
  for (const name in full.history) {
    if (Array.isArray(full.history[name]) && name !== "lanes") full.history[name] = wave(12345);
  }
  full.history.time = Array.from({ length: points }, (_, i) => now - 10 * (points - 1 - i));
  full.history.delivery_age_p50_seconds[100] = null;
  full.history.lanes.forEach((lane) => { lane.pending = wave(1e6); });

  let gone = false;
  window.fetch = (path) => gone ? Promise.reject(new TypeError("gone")) :
    Promise.resolve({ ok: true, json: () => Promise.resolve(path === "/status" ? full.status : full.history) });

  const findings = [];
  const expect = (what, holds) => { if (!holds) findings.push(what); };
  const press = (on, key) => on.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  const live = () => document.getElementById("changes").textContent;

  function look() {
    const root = document.documentElement;
    expect("nothing is wider than the window: " + root.scrollWidth + " > " + root.clientWidth, root.scrollWidth <= root.clientWidth);
    const plots = [...document.querySelectorAll("svg.plot")];
    expect("four plots", plots.length === 4);
    for (const plot of plots) {
      const figure = plot.closest("figure");
      expect("a plot has a name that says what it shows", /plot of the last hour\. .+: /.test(plot.getAttribute("aria-label")));
      expect("a plot is reached by the keyboard", plot.tabIndex === 0);
      expect("a plot has its table", figure.querySelectorAll("table tbody tr").length === 12);
      expect("a plot is drawn", plot.querySelectorAll("path").length > 0 && [...plot.querySelectorAll("path")].every((path) => !/NaN|Infinity/.test(path.getAttribute("d"))));
      expect("its words are within it", [...plot.querySelectorAll("text")].every((text) => text.getBBox().x >= 0 && text.getBBox().x + text.getBBox().width <= plot.clientWidth));
      press(plot, "ArrowLeft");
      const newest = figure.querySelector("output").textContent;
      press(plot, "ArrowLeft");
      const before = figure.querySelector("output").textContent;
      press(plot, "Home");
      const oldest = figure.querySelector("output").textContent;
      expect("arrow keys read point by point", newest !== "" && before !== "" && oldest !== "" && newest !== oldest);
      press(plot, "Escape");
      expect("Escape ends it", figure.querySelector("output").textContent === "");
    }
    expect("every table has a caption and headings", [...document.querySelectorAll("table")].every((table) => table.caption && table.querySelector("th[scope=col]")));
    expect("what has not changed is not announced", live() === "");
  }
  setTimeout(look, 4000);
  setTimeout(() => { gone = true; }, 5000);
  setTimeout(() => {
    expect("says that the daemon is gone", !document.getElementById("gone").hidden && /does not answer/.test(live()));
  }, 10000);
  setTimeout(() => { gone = false; }, 11000);
  setTimeout(() => {
    expect("says that it is there again", document.getElementById("gone").hidden && /^State: /.test(live()));
    const out = document.createElement("pre");
    out.id = "findings";
    out.textContent = findings.length === 0 ? "all as it should be at " + window.innerWidth : findings.join("\n");
    document.body.append(out);
  }, 16000);
})();
