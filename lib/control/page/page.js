"use strict";
// Asks /status every 3 s and /history.json every 10 s, and shows them. All text goes in as text, never as HTML.
(() => {
  const STATUS_EVERY = 3000;
  const HISTORY_EVERY = 10000;
  const ANSWER_WITHIN = 5000;
  const HOUR = 3600;
  const byId = (id) => document.getElementById(id);
  const NONE = "–";

  // ---- words

  const digits = (value, most) => value.toLocaleString("en", { maximumFractionDigits: most });
  const count = (value) => digits(value, 0);
  const short = (value) => value < 10000 ? count(value) : value.toLocaleString("en", { notation: "compact" });
  const perSecond = (value) => digits(value, value < 10 ? 2 : 1) + "/s";
  function duration(seconds) {
    if (seconds === null || seconds === undefined) return NONE;
    if (seconds < 0.0995) return digits(seconds * 1000, seconds < 0.01 ? 1 : 0) + " ms";
    if (seconds < 120) return digits(seconds, seconds < 10 ? 1 : 0) + " s";
    if (seconds < 7200) return digits(seconds / 60, 0) + " min";
    if (seconds < 172800) return digits(seconds / 3600, 1) + " h";
    return digits(seconds / 86400, 1) + " days";
  }
  function bytes(value) {
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let unit = 0;
    for (; value >= 1024 && unit < units.length - 1; ++unit) value /= 1024;
    return digits(value, value < 10 && unit > 0 ? 1 : 0) + " " + units[unit];
  }
  const clock = (unix) => new Date(unix * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });

  // ---- the document

  function element(name, text, className) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  }
  function drawn(name, attributes, text) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    if (text !== undefined) made.textContent = text;
    return made;
  }
  function row(cells) {
    const made = element("tr");
    cells.forEach((text, index) => {
      const cell = element(index === 0 ? "th" : "td", text, index === 0 ? "" : "number");
      if (index === 0) cell.scope = "row";
      made.append(cell);
    });
    return made;
  }
  const rows = (id, all) => byId(id).querySelector("tbody").replaceChildren(...all.map(row));
  function set(id, text) { // untouched when it is the same: a selection stays, nothing is read out
    if (byId(id).textContent !== text) byId(id).textContent = text;
  }

  // ---- /status

  let announced = null;
  function announce(text) {
    if (announced !== null && announced !== text) byId("changes").textContent = text;
    announced = text;
  }

  const urgency = (code) => code === "healthy" ? "" : ["throttled", "paused", "draining"].includes(code) ? "warn" : "bad";
  function stateBlock(state, upstream) {
    const block = element("div", undefined, "state " + urgency(state.code));
    block.append(element("h2", state.code.replaceAll("_", " ")), element("p", state.words));
    if (state.detail) block.append(element("p", state.detail));
    const wait = upstream.next_change_in_seconds;
    if (state.code === upstream.state && wait !== null) block.append(element("p", "Next try in " + duration(Math.max(0, wait)) + "."));
    if (state.what_to_do) {
      const todo = element("p");
      todo.append(element("strong", "What to do: "), document.createTextNode(state.what_to_do));
      block.append(todo, element("p", "More in the runbook, docs/operating.md, under “" + state.code + "”.", "hint"));
    }
    return block;
  }

  // Only where there is something to be said.
  function configurationBlock(c) {
    if (c.reload_success && c.restart_needed.length === 0) return [];
    const block = element("div", undefined, "state warn");
    block.append(element("h2", "configuration"));
    if (!c.reload_success) {
      const list = element("ul");
      list.append(...c.problems.map((each) => element("li", each)));
      block.append(element("p", "The changed configuration was refused, and the old one stays in force. Correct it and reload (LinkrunnerdReloadFailed in the runbook):"), list);
    }
    if (c.restart_needed.length > 0) block.append(element("p", "These changed keys wait for a restart: " + c.restart_needed.join(", ") + "."));
    return [block];
  }

  function showStatus(s) {
    byId("configuration").replaceChildren(...configurationBlock(s.configuration));
    set("about", "version " + s.version + ", up " + duration(s.uptime_seconds) + ", delivers to " + s.upstream.url);
    byId("states").replaceChildren(...s.states.map((state) => stateBlock(state, s.upstream)));
    const worst = s.states[0].code.replaceAll("_", " ");
    announce("State: " + worst + ". " + s.states[0].words);
    document.title = worst + " – linkrunnerd";
    set("accepted", perSecond(s.throughput.accepted_per_second));
    set("delivered", perSecond(s.throughput.delivered_per_second));
    const ceiling = s.upstream.rate_ceiling_per_second;
    const below = ceiling !== null && s.upstream.rate_per_second < ceiling * 0.995;
    set("rate", perSecond(s.upstream.rate_per_second) + (below ? " of " + perSecond(ceiling) : ""));
    set("pending", count(s.ledger.pending));
    set("oldest", duration(s.spool.oldest_pending_seconds));
    set("spool", bytes(s.spool.bytes) + " of " + bytes(s.spool.limit_bytes));
    rows("lanes", s.lanes.map((lane) => [lane.name, count(lane.pending),
      lane.forecast_seconds === null ? "cannot be said" : lane.forecast_seconds < 0.01 ? "at once" : duration(lane.forecast_seconds)]));
    const age = s.delivery_age;
    rows("ages", [["half (p50)", duration(age.p50_seconds)], ["95 in 100 (p95)", duration(age.p95_seconds)], ["99 in 100 (p99)", duration(age.p99_seconds)]]);
    rows("outcomes", Object.entries(s.since_start.attempts).map(([outcome, n]) => [outcome, count(n)]).concat([["of these ambiguous", count(s.since_start.attempts_ambiguous)]]));
    rows("ledger", Object.entries(s.ledger).map(([state, n]) => [state.replaceAll("_", " "), count(n)]));
    const failure = s.upstream.last_error;
    set("error", failure === null ? "" : "Last failed request, " + duration(failure.seconds_ago) + " ago: " + failure.what);
  }

  // ---- /history.json

  const PLOTS = [
    { title: "Events per second", unit: perSecond, series: (h) => [["accepted", h.accepted_per_second], ["delivered", h.delivered_per_second], ["refused at intake", h.refused_per_second], ["dead letters", h.dead_per_second]] },
    { title: "Waiting for delivery, by lane", unit: count, axis: short, least: 3, series: (h) => h.lanes.map((lane) => [lane.name, lane.pending]) },
    { title: "Age at delivery", unit: duration, log: true, series: (h) => [["p50", h.delivery_age_p50_seconds], ["p95", h.delivery_age_p95_seconds], ["p99", h.delivery_age_p99_seconds]] },
    { title: "Requests to the API per second", unit: perSecond, series: (h) => [["sent", h.attempts_per_second], ["answered 429", h.throttled_per_second], ["rate in force", h.rate_limit_per_second]] },
  ];

  function scaleOf(all, log, least) {
    const known = all.filter((v) => v !== null && (!log || v > 0));
    if (log) {
      const low = Math.floor(Math.log10(Math.min(...known, 0.1)));
      const high = Math.max(Math.ceil(Math.log10(Math.max(...known, 1))), low + 1);
      const step = Math.ceil((high - low) / 5);
      const ticks = [];
      for (let power = low; power <= high; power += step) ticks.push(10 ** power);
      return { ticks, at: (v) => (Math.log10(Math.max(v, 10 ** low)) - low) / (high - low) };
    }
    const top = Math.max(...known, least || 0.3);
    const power = 10 ** Math.floor(Math.log10(top / 3));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s * 3 >= top);
    return { ticks: [0, step, 2 * step, 3 * step], at: (v) => v / (3 * step) };
  }

  class Plot {
    constructor(kind) {
      this.kind = kind;
      this.cursor = null;
      const id = kind.title.toLowerCase().replace(/[^a-z]+/g, "-");
      const figure = element("figure");
      this.title = element("h3", kind.title);
      this.title.id = id;
      figure.setAttribute("aria-labelledby", id);
      this.legend = element("ul", undefined, "legend");
      this.svg = drawn("svg", { class: "plot", tabindex: "0", role: "img" });
      this.readout = element("output", "", "readout");
      this.readout.setAttribute("aria-live", "off");
      const details = element("details");
      this.table = element("table");
      const scroll = element("div", undefined, "scroll");
      scroll.append(this.table);
      details.append(element("summary", "As a table"), scroll);
      figure.append(this.title, this.legend, this.svg, this.readout, details);
      byId("plots").append(figure);
      this.svg.addEventListener("pointermove", (event) => this.point(event.offsetX));
      this.svg.addEventListener("pointerleave", () => { this.cursor = null; this.draw(); });
      this.svg.addEventListener("keydown", (event) => this.key(event));
      this.svg.addEventListener("blur", () => { this.cursor = null; this.draw(); });
      new ResizeObserver(() => this.draw()).observe(this.svg);
    }
    show(history) {
      this.time = history.time;
      this.now = Date.now() / 1000;
      this.span = Math.max(600, Math.min(HOUR, this.now - this.time[0] || 0)); // a young daemon has little to show
      this.series = this.kind.series(history);
      if (this.cursor !== null) this.cursor = Math.min(this.cursor, this.time.length - 1);
      this.draw();
      this.legend.replaceChildren(...this.series.map(([name], index) => {
        const swatch = drawn("svg", { viewBox: "0 0 26 10", "aria-hidden": "true" });
        swatch.append(drawn("line", { class: "series s" + index % 4, x1: 0, x2: 26, y1: 5, y2: 5 }));
        const item = element("li");
        item.append(swatch, document.createTextNode(name));
        return item;
      }));
      this.fill();
    }
    fill() { // the newest first, every 5 minutes before that
      const head = element("tr");
      for (const name of ["time", ...this.series.map(([each]) => each)]) {
        const cell = element("th", name, name === "time" ? "" : "number");
        cell.scope = "col";
        head.append(cell);
      }
      const top = element("thead");
      top.append(head);
      const body = element("tbody");
      for (let i = this.time.length - 1; i >= 0; i -= 30) {
        body.append(row([clock(this.time[i]), ...this.series.map(([, values]) => this.text(values[i]))]));
      }
      this.table.replaceChildren(element("caption", this.kind.title), top, body);
    }
    text(value) { return value === null ? NONE : this.kind.unit(value); }
    draw() {
      if (!this.series) return;
      const width = this.svg.clientWidth, height = this.svg.clientHeight;
      const left = 58, right = width - 12, top = 8, bottom = height - 20;
      if (width < 120) return;
      this.x = (unix) => left + (1 + (unix - this.now) / this.span) * (right - left);
      const scale = scaleOf(this.series.flatMap(([, values]) => values), this.kind.log, this.kind.least);
      const y = (value) => bottom - scale.at(value) * (bottom - top);
      const parts = [];
      for (const tick of scale.ticks) {
        parts.push(drawn("line", { class: "grid", x1: left, x2: right, y1: y(tick), y2: y(tick) }));
        parts.push(drawn("text", { x: left - 6, y: y(tick) + 4, "text-anchor": "end" }, (this.kind.axis || this.kind.unit)(tick)));
      }
      ["end", "middle", "middle", "start"].forEach((anchor, third) => {
        const at = this.now - this.span * third / 3;
        parts.push(drawn("text", { x: this.x(at), y: height - 4, "text-anchor": anchor }, clock(at)));
      });
      this.series.forEach(([, values], index) => parts.push(drawn("path", { class: "series s" + index % 4, d: this.path(values, y) })));
      if (this.cursor !== null) {
        const at = this.x(this.time[this.cursor]);
        parts.push(drawn("line", { class: "cursor", x1: at, x2: at, y1: top, y2: bottom }));
      }
      this.svg.replaceChildren(...parts);
      const summary = this.sentence(this.cursor === null ? this.time.length - 1 : this.cursor);
      this.readout.textContent = this.cursor === null ? "" : summary;
      this.svg.setAttribute("aria-label", this.kind.title + (summary ? ", plot of the last hour. " + summary : ", nothing yet."));
    }
    path(values, y) { // broken where nothing is known
      let out = "", pen = false, before = 0;
      values.forEach((value, index) => {
        const at = this.time[index];
        if (value === null || at < this.now - this.span) { pen = false; return; }
        const joined = pen && at - before < 25;
        const x = this.x(at).toFixed(1), height = y(value).toFixed(1);
        out += joined ? "L" + x + " " + height : "M" + x + " " + height + "h0.1";
        pen = true;
        before = at;
      });
      return out;
    }
    sentence(index) {
      if (index < 0 || index >= this.time.length) return "";
      return clock(this.time[index]) + ": " + this.series.map(([name, values]) => name + " " + this.text(values[index])).join(", ");
    }
    move(to) {
      if (!this.time || this.time.length === 0) return;
      this.cursor = Math.max(0, Math.min(this.time.length - 1, to));
      this.draw();
    }
    point(x) {
      if (!this.x || this.time.length === 0) return;
      let best = 0;
      this.time.forEach((at, index) => { if (Math.abs(this.x(at) - x) < Math.abs(this.x(this.time[best]) - x)) best = index; });
      this.move(best);
    }
    key(event) {
      const last = this.time ? this.time.length - 1 : 0;
      const from = this.cursor === null ? last + 1 : this.cursor;
      const steps = { ArrowLeft: from - 1, ArrowRight: from + 1, PageUp: from - 30, PageDown: from + 30, Home: 0, End: last };
      if (event.key === "Escape") { this.cursor = null; this.draw(); return; }
      if (!(event.key in steps)) return;
      event.preventDefault();
      this.move(steps[event.key]);
    }
  }

  // ---- polling

  async function fetched(path) {
    const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(ANSWER_WITHIN) });
    if (!answer.ok) throw new Error("status " + answer.status);
    return answer.json();
  }

  let goneSince = null;
  function gone(isGone) {
    if (!isGone) {
      if (goneSince !== null) announced = "";
      goneSince = null;
    } else if (goneSince === null) {
      goneSince = Date.now() / 1000;
    }
    byId("gone").hidden = !isGone;
    for (const part of ["states", "numbers"]) byId(part).classList.toggle("old", isGone);
    if (isGone) {
      const text = "linkrunnerd does not answer since " + clock(goneSince) + ". What is shown below is what it said last. Is it running (systemctl status linkrunnerd), and is the connection to it up?";
      set("gone", text);
      announce(text);
      document.title = "no answer – linkrunnerd";
    }
  }

  const plots = PLOTS.map((kind) => new Plot(kind));
  const again = (work, every) => async function turn() {
    if (!document.hidden) await work();
    setTimeout(turn, every);
  };
  const askStatus = again(async () => {
    const status = await fetched("/status").catch(() => null);
    gone(status === null);
    if (status !== null) showStatus(status);
  }, STATUS_EVERY);
  const askHistory = again(async () => {
    const history = await fetched("/history.json").catch(() => null);
    if (history !== null) plots.forEach((plot) => plot.show(history));
  }, HISTORY_EVERY);
  askStatus();
  askHistory();
})();
