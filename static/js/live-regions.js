/* Keeps the regions that follow a run true. htmx drops what a region is told while its answer is under way, because
   the answer replaces the region that would have asked again; here its successor asks. So does one whose request
   failed, later each time. */
"use strict";

(() => {
  const FOLLOWING = "[hx-get][hx-trigger*='execution-changed']";
  const RETRY_MS = [2000, 4000, 8000, 16000, 30000, 60000];
  let changes = 0;
  let failures = 0;

  const ask = (region) => {
    if (!region.isConnected || !region.matches(FOLLOWING)) return;
    htmx.ajax("GET", region.getAttribute("hx-get"), { source: region, target: region, swap: "outerHTML" });
  };

  /* Before htmx hears of it. */
  document.addEventListener("execution-changed", () => { changes += 1; }, true);
  document.addEventListener("htmx:beforeRequest", (event) => { event.detail.requestConfig.changes = changes; });
  document.addEventListener("htmx:afterSettle", (event) => {
    failures = 0;
    if (event.detail.requestConfig?.changes < changes) ask(event.target);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const { elt, successful, xhr } = event.detail;
    if (successful || (xhr.status && xhr.status < 500) || !elt.matches(FOLLOWING)) return;
    failures += 1;
    setTimeout(ask, RETRY_MS[Math.min(failures, RETRY_MS.length) - 1], elt);
  });
})();
