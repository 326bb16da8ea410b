/* Requests that failed: a dialog with Retry for what a person did and may work the next time, else one toast. */

const AGAIN = [500, 502, 503, 504];
const SILENT = {
  get: "Launchpad did not answer. The network or the server may be away; try again in a moment.",
  other: "Launchpad did not answer, so it is not known whether anything was changed. Close this and look before you try again.",
};
const BUSY = "The server in front of Launchpad did not reach it. Try again in a moment.";
const dialog = document.getElementById("failure");
let failed = null;

/* In Launchpad's own words where it answered itself: the toast that it sent. */
function told({ xhr, requestConfig: { verb, path } }) {
  const answer = new DOMParser().parseFromString(xhr.responseText || "", "text/html").querySelector(".toast > .grow");
  const text = answer?.firstChild?.textContent || (xhr.status ? BUSY : SILENT[verb] || SILENT.other);
  const reference = answer?.querySelector(".meta")?.textContent.trim() || "";
  const status = xhr.status || "no answer";
  const details = `${verb.toUpperCase()} ${path}: ${status}, ${new Date().toISOString()}. ${text} ${reference}`.trim();
  return { text, reference, details };
}

/* What polls fails again and again; it is said once, until something is answered. */
function say(text) {
  const toasts = document.getElementById("toasts");
  if (!toasts || toasts.querySelector("[data-away]")) return;
  document.dispatchEvent(new CustomEvent("toast", { detail: { text, kind: "bad" } }));
  toasts.lastElementChild.dataset.away = "1";
}

function report(detail) {
  const { text, reference, details } = told(detail);
  const by = detail.requestConfig.triggeringEvent;
  /* Nobody is interrupted while typing, nor by what the page asks for by itself. */
  if (!dialog || !by?.isTrusted || by.type === "input") return say(text);
  if (dialog.open) return;
  failed = detail;
  document.getElementById("failure-text").textContent = text;
  document.getElementById("failure-reference").textContent = reference;
  dialog.querySelector("[data-copy]").dataset.copy = details;
  /* The browser keeps where the focus was, and gives it back when the dialog closes. */
  dialog.showModal();
}

document.addEventListener("htmx:sendError", (event) => report(event.detail));
document.addEventListener("htmx:timeout", (event) => report(event.detail));
document.addEventListener("htmx:beforeSwap", (event) => {
  if (!AGAIN.includes(event.detail.xhr.status)) {
    document.querySelector("#toasts [data-away]")?.remove();
    return;
  }
  event.detail.shouldSwap = false;
  report(event.detail);
});

dialog?.addEventListener("click", (event) => {
  if (!event.target.closest("[data-retry]")) return;
  dialog.close();
  /* As it was asked: the target of the answer would be where refusals are shown. */
  const { etc, requestConfig: { elt, target, verb, path, formData, triggeringEvent } } = failed;
  /* What asked may be gone meanwhile; the page as it is now says how things are. */
  if (!elt.isConnected) return location.reload();
  htmx.ajax(verb, path, { source: elt, target, event: triggeringEvent, values: formData, swap: etc?.swapOverride });
});
