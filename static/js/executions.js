/* Pages of executions: confirming dialogs, running durations, menus that outlive a swap. */
"use strict";

(() => {
  const TICK_MS = 1000;

  /* A button that would post at once asks first, in the dialog of what it does, which the end of its address says.
     The dialog's form then posts to that address. */
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-confirm]");
    const dialog = opener && document.getElementById(`confirm-${opener.formAction.split("/").at(-1)}`);
    if (!dialog) return;
    event.preventDefault();
    dialog.querySelector("form").action = opener.formAction;
    if (opener.dataset.title) dialog.querySelector("h2").textContent = opener.dataset.title;
    for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
    dialog.showModal();
  });

  document.addEventListener("submit", (event) => {
    const region = event.target.closest("[data-swap]");
    const target = region && document.getElementById(region.dataset.swap);
    if (!target || !event.target.closest("dialog")) return;
    event.preventDefault();
    event.target.closest("dialog").close();
    const values = Object.fromEntries(new FormData(event.target));
    htmx.ajax("POST", event.target.action, { source: target, target, swap: "outerHTML", values })
      .then(() => htmx.trigger(document.body, "execution-changed"));
  });

  /* What a row's menu does is answered with the table, where that is wished. */
  document.addEventListener("submit", (event) => {
    const target = event.submitter && document.getElementById(event.target.dataset.into);
    if (!target) return;
    event.preventDefault();
    for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
    htmx.ajax("POST", event.submitter.formAction, { source: target, target, swap: "outerHTML" });
  });

  /* Durations run on between two answers of the server, in its wording. */
  function duration(seconds) {
    if (seconds < 10) return `${seconds.toFixed(1)} s`;
    const whole = Math.round(seconds);
    if (whole < 60) return `${whole} s`;
    const minutes = Math.floor(whole / 60);
    const two = (number) => String(number).padStart(2, "0");
    if (minutes < 60) return `${minutes} min ${two(whole % 60)} s`;
    const hours = Math.floor(minutes / 60);
    return hours < 48 ? `${hours} h ${two(minutes % 60)} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
  }

  /* Counted from what the server said, so that a wrong clock here tells no wrong duration. */
  const begun = new WeakMap();
  setInterval(() => {
    for (const element of document.querySelectorAll("[data-elapsed]")) {
      if (!begun.has(element)) begun.set(element, performance.now() - Number(element.dataset.elapsed) * 1000);
      element.textContent = duration((performance.now() - begun.get(element)) / 1000);
    }
  }, TICK_MS);

  /* What is scrolled within stays where it is when its region is swapped. */
  const places = new Map();
  document.addEventListener("htmx:beforeSwap", (event) => {
    for (const box of event.detail.target.querySelectorAll("[data-keep-scroll][id]")) {
      places.set(box.id, [box.scrollLeft, box.scrollTop]);
    }
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const [id, [left, top]] of places) document.getElementById(id)?.scrollTo(left, top);
    places.clear();
  });

  /* What is picked stays picked when its rows come again; the bar says how many are. */
  const picks = () => [...document.querySelectorAll("tbody .check[name=id]")];
  let picked = new Set();
  function tell() {
    const boxes = picks();
    const count = boxes.filter((box) => box.checked).length;
    for (const place of document.querySelectorAll("[data-picked]")) place.textContent = `${count} selected`;
    for (const all of document.querySelectorAll("[data-pick-all]")) {
      all.checked = count > 0 && count === boxes.length;
      all.indeterminate = count > 0 && count < boxes.length;
    }
  }
  function pick(chosen) {
    for (const box of picks()) box.checked = chosen;
    tell();
  }
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-pick-all]")) pick(event.target.checked);
    else if (event.target.matches("tbody .check[name=id]")) tell();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-pick-none]")) pick(false);
  });
  document.addEventListener("htmx:beforeSwap", () => {
    picked = new Set(picks().filter((box) => box.checked).map((box) => box.value));
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const box of picks()) if (picked.has(box.value)) box.checked = true;
    tell();
  });
  tell();

  /* Days are those of the reader, unless the address says otherwise. */
  function zones(root) {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    for (const field of root.querySelectorAll("[data-zone]")) if (zone) field.value = zone;
  }
  document.addEventListener("htmx:load", (event) => zones(event.detail.elt));
  zones(document);

  /* What was unfolded stays so when its region is swapped, unless a form in it was sent. */
  let open = [];
  const name = (details) => {
    const owner = details.id ? details : details.closest("[id]");
    return owner && [owner.id, [...owner.querySelectorAll("details")].indexOf(details)];
  };
  document.addEventListener("htmx:beforeSwap", (event) => {
    const asked = event.detail.requestConfig?.elt?.matches("form");
    open = asked ? [] : [...event.detail.target.querySelectorAll("details[open]")].map(name).filter(Boolean);
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const [id, index] of open) {
      const owner = document.getElementById(id);
      const details = owner && (index < 0 ? owner : owner.querySelectorAll("details")[index]);
      if (details) details.open = true;
    }
    open = [];
  });

  /* A line of the log: its number marks it and puts its address into the bar, without loading the page.
     An address whose line is not on this page leads to where it is; `#L123` is line 123 of the newest run. */
  document.addEventListener("click", (event) => {
    const link = event.target.closest(".log-lines li[data-level] > a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const number = link.hash && document.getElementById(link.hash.slice(1));
    if (!number || number.closest("#log-body")?.querySelector(".found")) return;
    event.preventDefault();
    location.hash = link.hash;
    history.replaceState(history.state, "", link.href);
  });

  function seek() {
    const line = /^#L(\d+)(?:-(\d+)-(\d+))?$/.exec(location.hash);
    if (!line || document.getElementById(location.hash.slice(1))) return;
    const at = line[3] ? line.slice(1).join(".") : line[1];
    const asked = new URLSearchParams(location.search);
    const shown = document.querySelector(".log-lines li.here");
    if (asked.get("at") === at) {
      if (shown) location.hash = shown.id;
      return;
    }
    asked.set("tab", "logs");
    asked.set("at", at);
    for (const name of ["lines_before", "lines_after", "hits_after"]) asked.delete(name);
    location.replace(`?${asked}${location.hash}`);
  }
  addEventListener("hashchange", seek);
  seek();
  /* A browser that reloads goes back to where it had scrolled the page to, not to the line. */
  document.querySelector(".log-lines li.here")?.scrollIntoView({ block: "center" });
})();
