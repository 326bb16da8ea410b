/* Follows an execution or deployment: new log lines are appended as text, and `execution-changed` is triggered on the
   body when anything else of it changed, for htmx to fetch the regions again.

   `[data-stream]` names the address of the stream; `data-version` is the state the page shows. Lines go
   into the first `.log[data-after]`, whose attribute is the place in the log that the page shows last;
   a page without one is told of states only. `data-part="<attempt>.<step index>"`, or the attempt alone,
   keeps other parts out. `data-word` is what an attempt is called; `data-several`: it is always named. */
"use strict";

(() => {
  const MOST_LINES = 5000;
  const CHANGE_MS = 1000;
  const RETRY_MS = [2000, 4000, 8000, 16000, 30000, 60000];
  const END = "999999999:";
  const page = document.querySelector("[data-stream]");
  if (!page || !window.EventSource) return;

  const log = () => document.querySelector(".log[data-after]");
  let after = log()?.dataset.after ?? END;
  let version = page.dataset.version ?? "";
  let source = null;
  let failures = 0;
  let answered = new Date();
  let isOver = false;

  /* Changes come in bursts; the regions are fetched once a second at most, and always after the last. */
  let changedAt = 0;
  let change = 0;
  function changed() {
    clearTimeout(change);
    change = setTimeout(() => {
      changedAt = performance.now();
      if (window.htmx) window.htmx.trigger(document.body, "execution-changed");
      else document.body.dispatchEvent(new CustomEvent("execution-changed", { bubbles: true }));
    }, Math.max(0, changedAt + CHANGE_MS - performance.now()));
  }

  /* Lines: the last number of each step tells what is there already, in case some come again. */
  const seen = new Map();
  const part = (key) => key.slice(0, key.lastIndexOf("-"));
  const number = (key) => Number(key.slice(key.lastIndexOf("-") + 1));
  for (const item of log()?.querySelectorAll("li[data-level]") ?? []) {
    seen.set(part(item.id), Math.max(seen.get(part(item.id)) ?? 0, number(item.id)));
  }
  let waiting = [];
  let frame = 0;

  function receive(lines) {
    const wanted = `L${(log()?.dataset.part ?? "").replace(".", "-")}`;
    let fresh = 0;
    for (const line of lines) {
      const place = part(line.key);
      if (line.number <= (seen.get(place) ?? 0)) continue;
      seen.set(place, line.number);
      fresh += 1;
      if (wanted === "L" || place === wanted || place.startsWith(`${wanted}-`)) waiting.push(line);
    }
    if (waiting.length > MOST_LINES) waiting = waiting.slice(-MOST_LINES);
    count(fresh);
    if (waiting.length && !frame) frame = requestAnimationFrame(show);
  }

  function count(fresh) {
    const place = document.querySelector("[data-log-count]");
    if (!place || !fresh) return;
    const total = Number(place.textContent.replace(/\D/g, "")) + fresh;
    place.textContent = `${total.toLocaleString("en-US")} line${total === 1 ? "" : "s"}`;
  }

  const element = (name, content) => {
    const made = document.createElement(name);
    made.textContent = content;
    return made;
  };

  function row(line) {
    const item = document.createElement("li");
    item.id = line.key;
    item.dataset.level = line.level;
    const link = element("a", line.number);
    link.href = `#${line.key}`;
    const at = new Date(line.at);
    const time = element("time", at.toLocaleTimeString("en-GB"));
    time.dateTime = line.at;
    time.title = `${line.at.slice(0, 19).replace("T", " ")} UTC`;
    time.dataset.local = time.dataset.seconds = "1";
    item.append(link, time, element("b", line.level), element("span", line.text));
    return item;
  }

  function heading(line) {
    const item = document.createElement("li");
    item.className = "part";
    const { word = "attempt", several } = log().dataset;
    const isNamed = line.attempt > 1 || several !== undefined;
    item.append(element("span", isNamed ? `${line.step}, ${word} ${line.attempt}` : line.step));
    return item;
  }

  function show() {
    frame = 0;
    const list = log()?.querySelector(".log-lines > ol");
    const lines = waiting;
    waiting = [];
    if (!list) return;
    let last = [...list.querySelectorAll("li[data-level]")].at(-1);
    if (!last) list.replaceChildren();
    let place = last ? part(last.id) : "";
    const added = document.createDocumentFragment();
    for (const line of lines) {
      if (part(line.key) !== place) added.append(heading(line));
      place = part(line.key);
      added.append(row(line));
    }
    list.append(added);
    trim(list);
  }

  function trim(list) {
    const rows = list.querySelectorAll("li[data-level]");
    if (rows.length <= MOST_LINES) return;
    const first = rows[rows.length - MOST_LINES];
    while (list.firstElementChild !== first) list.firstElementChild.remove();
    const link = element("a", "Earlier lines");
    const query = new URLSearchParams({ tab: "logs", lines_before: first.id.slice(1).replaceAll("-", ".") });
    if (log().dataset.part) query.set("part", log().dataset.part);
    link.href = `?${query}`;
    const item = document.createElement("li");
    item.className = "earlier";
    item.append(link);
    list.prepend(item);
  }

  /* Follow: the style sheet pins the end while the box is ticked; scrolling away unticks it. */
  const follow = () => document.querySelector(".log input[name=follow]");
  document.addEventListener("scroll", (event) => {
    const lines = event.target;
    if (!(lines instanceof Element) || !lines.matches(".log-lines") || !follow()?.checked) return;
    const away = -lines.scrollTop;
    if (away < 48) return;
    follow().checked = false;
    lines.scrollTop = lines.scrollHeight - lines.clientHeight - away;
  }, { capture: true, passive: true });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "f" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target.closest("input:not([type=checkbox]), textarea, select, dialog, [contenteditable]")) return;
    follow()?.click();
  });

  function alive() {
    failures = 0;
    answered = new Date();
    for (const mark of document.querySelectorAll(".live[data-stale=stream]")) {
      delete mark.dataset.stale;
      mark.removeAttribute("title");
    }
  }

  function failed() {
    failures += 1;
    if (failures >= 3) {
      for (const mark of document.querySelectorAll(".live")) {
        mark.dataset.stale = "stream";
        mark.title = `Last answer at ${answered.toLocaleTimeString("en-GB")}`;
      }
    }
    if (source.readyState !== EventSource.CLOSED) return;
    /* The browser has given up. Ask again, each time later, and let the regions ask by themselves. */
    changed();
    setTimeout(open, RETRY_MS[Math.min(failures, RETRY_MS.length) - 1]);
  }

  function open() {
    if (isOver) return;
    const address = new URL(page.dataset.stream, location.href);
    address.searchParams.set("after", after);
    source = new EventSource(address);
    source.addEventListener("error", failed);
    source.addEventListener("log", (event) => {
      alive();
      after = event.lastEventId || after;
      receive(JSON.parse(event.data));
    });
    source.addEventListener("state", (event) => {
      alive();
      const state = JSON.parse(event.data);
      if (state.version !== version) changed();
      version = state.version;
    });
    source.addEventListener("end", () => {
      isOver = true;
      source.close();
      for (const place of document.querySelectorAll("[data-ended]")) place.textContent = place.dataset.ended;
      changed();
    });
  }

  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  open();
})();
