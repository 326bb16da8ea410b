/* Launchpad: what improves pages that already work without script. A module: nothing here is global. */

const $ = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const TOAST_MS = 6000;
const CHORD_MS = 1500;

document.documentElement.classList.add("script");

function element(name, values = {}, ...parts) {
  const made = Object.assign(document.createElement(name), values);
  made.append(...parts);
  return made;
}

/* Toasts: good ones leave by themselves unless held; bad ones stay until dismissed. */
function watchToast(toast) {
  if (toast.dataset.watched || toast.dataset.kind === "bad") return;
  toast.dataset.watched = "1";
  const leave = () => {
    if (toast.matches(":hover, :focus-within")) setTimeout(leave, TOAST_MS);
    else toast.remove();
  };
  setTimeout(leave, TOAST_MS);
}

/* The same form as components/toast.html has: sent as a page, it comes back to this one. */
function undoForm({ url, values, word = "Undo" }) {
  const fields = [["csrfmiddlewaretoken", JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"]],
    ["undone-at", location.pathname + location.search], ...values];
  return element("form", { method: "post", action: url },
    ...fields.map(([name, value]) => element("input", { type: "hidden", name, value })),
    element("button", { className: "btn btn-sm" }, word));
}

function showToast(text, kind = "good", undo = null) {
  const template = $(`#toast-${kind}`);
  const place = $("#toasts");
  if (!template || !place) return;
  const toast = template.content.firstElementChild.cloneNode(true);
  $(".grow", toast).textContent = text;
  if (undo) $(".grow", toast).after(undoForm(undo));
  place.append(toast);
  watchToast(toast);
}

document.addEventListener("toast", (event) => showToast(event.detail.text, event.detail.kind, event.detail.undo));

/* Times: the server writes them in the zone that the cookie names, at the first visit in UTC; the title keeps UTC. */
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && /^[A-Za-z0-9_+\/-]+$/.test(zone)) document.cookie = `zone=${zone}; path=/; max-age=31536000; samesite=lax`;

function localTimes(root) {
  const today = new Date();
  for (const element of all("time[datetime]:not([data-local])", root)) {
    const at = new Date(element.dateTime);
    element.dataset.local = "1";
    if (Number.isNaN(at.getTime())) continue;
    const clock = at.toLocaleTimeString("en-GB", element.dataset.seconds === undefined
      ? { hour: "2-digit", minute: "2-digit" } : { hour: "2-digit", minute: "2-digit", second: "2-digit" });
    const day = at.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
    if ("seconds" in element.dataset || "minutes" in element.dataset || at.toDateString() === today.toDateString()) element.textContent = clock;
    else if (at.getFullYear() === today.getFullYear()) element.textContent = `${day}, ${clock}`;
    else element.textContent = `${day} ${at.getFullYear()}`;
  }
}

/* Navigation: the choice is kept for wide screens, so that the server renders it without a jump. */
const narrow = matchMedia("(width <= 48rem)");
const toggle = $("#nav-toggle");
if (toggle) {
  if (narrow.matches) toggle.checked = false;
  toggle.addEventListener("change", () => {
    if (!narrow.matches) {
      document.cookie = `nav=${toggle.checked ? "rail" : ""}; path=/; max-age=31536000; samesite=lax`;
    }
  });
  narrow.addEventListener("change", () => { toggle.checked = !narrow.matches && toggle.hasAttribute("data-rail"); });
}

/* What is too long to stand in the button is named by it: data-copy-text is the id of an element. */
async function copy(button) {
  const named = document.getElementById(button.dataset.copyText);
  try {
    await navigator.clipboard.writeText(named ? named.textContent : button.dataset.copy);
    showToast("Copied");
  } catch {
    showToast("The browser did not allow copying. Select the text and copy it by hand.", "bad");
  }
}

/* Only the side navigation is sent with each page; what else offers the same pages is made of it. */
function offerPages() {
  const pages = all(".sidenav a[href]");
  const options = pages.map((link, at) => element("a",
    { className: "menu-item", id: `page-${at}`, role: "option", tabIndex: -1, href: link.href },
    $(".icon", link).cloneNode(true), link.title,
    ...(link.dataset.go ? [element("kbd", { className: "push" }, `G ${link.dataset.go}`)] : [])));
  const label = element("p", { className: "menu-label", ariaHidden: "true" }, "Pages");
  $("#palette-results")?.append(element("div", { role: "group", ariaLabel: "Pages" }, label, ...options));
  for (const link of pages.filter((one) => one.dataset.go)) {
    $("#shortcut-keys")?.append(
      element("dt", {}, element("kbd", {}, "G"), " ", element("kbd", {}, link.dataset.go)),
      element("dd", {}, `Go to ${link.title}`));
  }
}
offerPages();

function openDialog(id) {
  const dialog = document.getElementById(id);
  if (!dialog || dialog.open) return;
  for (const menu of all("details.menu[open]")) menu.open = false;
  dialog.showModal();
  if (id === "palette") $("#palette-search").select();
}

document.addEventListener("click", (event) => {
  const target = event.target;
  for (const menu of all("details.menu[open]")) if (!menu.contains(target)) menu.open = false;
  if (toggle && narrow.matches && toggle.checked && !target.closest(".sidenav, .topbar")) toggle.checked = false;
  const opener = target.closest("[data-dialog]");
  if (opener) {
    event.preventDefault();
    return openDialog(opener.dataset.dialog);
  }
  if (target.closest("[data-close]")) return target.closest("dialog").close();
  if (target.closest("[data-dismiss]")) return target.closest(".toast").remove();
  const copier = target.closest("[data-copy], [data-copy-text]");
  if (copier) return copy(copier);
  if (target.matches("dialog")) target.close();
});

/* Rows: the link of a row holds the focus, so that Enter opens it. */
function moveRow(step) {
  const links = all(".table tbody tr .id").filter((link) => link.matches("a") && link.offsetParent);
  if (!links.length) return;
  const row = document.activeElement.closest(".table tbody tr");
  const at = row ? links.findIndex((link) => row.contains(link)) : -1;
  const next = at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + step, 0), links.length - 1);
  links[next].focus();
  links[next].scrollIntoView({ block: "nearest" });
}

function selectRow() {
  const box = $("td > .check", document.activeElement.closest(".table tbody tr") || document.createElement("tr"));
  if (box) box.click();
}

/* The palette: arrows choose among what was found, the field keeps the focus. */
function choose(step) {
  const options = all("#palette-results a[role=option]");
  if (!options.length) return;
  const at = options.findIndex((one) => one.getAttribute("aria-selected") === "true");
  const next = options[at < 0 ? (step > 0 ? 0 : options.length - 1) : (at + step + options.length) % options.length];
  for (const one of options) one.setAttribute("aria-selected", String(one === next));
  $("#palette-search").setAttribute("aria-activedescendant", next.id);
  next.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openDialog("palette");
  } else if (event.target.id === "palette-search") {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" && !event.isComposing) {
      const chosen = $("#palette-results [aria-selected=true]") || (event.target.value && $("#palette-results a[role=option]"));
      if (chosen) { event.preventDefault(); chosen.click(); }
    }
  } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("textarea")) {
    const form = event.target.form;
    if (form) { event.preventDefault(); form.requestSubmit($("button:not([type=button])", form)); }
  }
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id === "palette-results") $("#palette-search").removeAttribute("aria-activedescendant");
});

/* Refresh: what polls or follows is asked for now, else the page is loaded again. */
function refresh() {
  const polled = all("[hx-get][hx-trigger*='every ']");
  const follows = $("[data-stream]");
  for (const region of polled) htmx.ajax("GET", region.getAttribute("hx-get"), { source: region, target: region, swap: "outerHTML" });
  if (follows) htmx.trigger(document.body, "execution-changed");
  if (!polled.length && !follows) location.reload();
}

/* Keys: single ones do nothing while typing or in a dialog. */
let chord = 0;
const SHORT = {
  "?": () => openDialog("shortcuts"),
  "[": () => toggle && toggle.click(),
  "/": () => {
    const field = $("[data-filter], .filters input[type=search]");
    if (field) { field.focus(); field.select(); } else openDialog("palette");
  },
  j: () => moveRow(1),
  k: () => moveRow(-1),
  x: selectRow,
  r: refresh,
  f: () => { const follow = $(".log [name=follow]"); if (follow) follow.click(); },
  c: () => { const create = $("[data-create]"); if (create) create.click(); },
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    const open = all("details.menu[open]");
    for (const menu of open) { menu.open = false; $("summary", menu).focus(); }
    const drawer = toggle && narrow.matches && toggle.checked;
    if (!open.length && drawer) { toggle.checked = false; toggle.focus(); }
    if (!open.length && !drawer && !$("dialog[open]")) for (const box of all("td > .check:checked")) box.click();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || document.body.dataset.keys === "off") return;
  if (event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], dialog")) return;
  const key = event.key.toLowerCase();
  if (Date.now() - chord < CHORD_MS) {
    chord = 0;
    const link = $(`[data-go="${CSS.escape(key.toUpperCase())}"]`);
    if (link) { event.preventDefault(); link.click(); }
    return;
  }
  if (key === "g") { chord = Date.now(); return; }
  const does = SHORT[event.key] || SHORT[key];
  if (does) { event.preventDefault(); does(); }
});

/* Focus: htmx keeps it on what has an id. Else it goes to the same control of what replaced it, or to its heading. */
let left = null;
const what = (control) => [control.tagName, control.getAttribute("href") ?? control.name ?? "",
  control.getAttribute("href") ? "" : control.getAttribute("aria-label") || control.textContent.trim()].join();
document.addEventListener("htmx:beforeSwap", (event) => {
  const at = document.activeElement;
  const region = event.detail.target;
  /* Several regions come at once; the next one may be swapped before this one has settled. */
  if (at === document.body) return;
  left = region?.id && region.contains(at) ? { id: region.id, what: what(at) } : null;
});
document.addEventListener("htmx:afterSettle", () => {
  const region = left && document.getElementById(left.id);
  if (!region || document.activeElement !== document.body) return;
  const same = all("a[href], button, input, select, textarea, summary, [tabindex]", region)
    .find((control) => control.offsetParent && what(control) === left.what);
  const next = same || $("h1, h2", region) || region;
  if (!same) next.tabIndex = -1;
  next.focus({ preventScroll: !same });
  left = null;
});

/* What the reader opened or chose in a part that is replaced stays so in what takes its place. */
let kept = [];
document.addEventListener("htmx:beforeSwap", (event) => {
  const open = all("details[data-keep][open]", event.detail.target);
  kept = open.flatMap((one) => [one, ...all(":checked", one)]).map((one) => one.id).filter(Boolean);
});
document.addEventListener("htmx:afterSwap", () => {
  for (const id of kept) {
    const one = document.getElementById(id);
    if (one) one[one.matches("details") ? "open" : "checked"] = true;
  }
});

/* A double click makes one: the second answer would only say that the draft is gone. */
document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-once]") || event.defaultPrevented) return;
  if (event.target.dataset.once) event.preventDefault();
  event.target.dataset.once = "sent";
});
addEventListener("pageshow", () => { for (const form of all("[data-once]")) form.dataset.once = ""; });

function begin(root) {
  localTimes(root);
  for (const toast of all(".toasts .toast")) watchToast(toast);
}

document.addEventListener("htmx:load", (event) => begin(event.detail.elt));
begin(document);
