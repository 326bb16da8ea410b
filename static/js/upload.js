/* Shows how far an upload is; without script the browser's own display has to do. */
"use strict";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

function amount(bytes) {
  const power = Math.min(UNITS.length - 1, bytes > 0 ? Math.floor(Math.log2(bytes) / 10) : 0);
  return `${(bytes / 1024 ** power).toFixed(power ? 1 : 0)} ${UNITS[power]}`;
}

document.addEventListener("htmx:xhr:progress", (event) => {
  const form = event.target.closest("[data-upload]");
  if (!form || !event.detail.lengthComputable || !form.querySelector("[type=file]").files.length) return;
  const { loaded, total } = event.detail;
  const place = form.querySelector("[data-upload-progress]");
  place.hidden = false;
  place.querySelector("progress").value = (100 * loaded) / total;
  place.querySelector("[role=status]").textContent = loaded < total
    ? `${amount(loaded)} of ${amount(total)} sent`
    : "Sent. Checking and storing the files…";
});

for (const failure of ["htmx:sendError", "htmx:responseError"]) {
  document.addEventListener(failure, (event) => {
    const place = event.target.querySelector?.("[data-upload-progress]");
    if (place) place.hidden = true;
  });
}
