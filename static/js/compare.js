/* Boards: a chart over the whole screen, from its button. Charts follow the size of their box by themselves. */
"use strict";

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-fullscreen]");
  if (!button) return;
  const card = button.closest(".board-chart");
  if (document.fullscreenElement) document.exitFullscreen();
  else if (card) card.requestFullscreen();
});

document.addEventListener("fullscreenchange", () => {
  for (const button of document.querySelectorAll("[data-fullscreen]")) {
    button.textContent = button.closest(".board-chart") === document.fullscreenElement ? "Leave full screen" : "Full screen";
  }
  window.dispatchEvent(new Event("resize"));
});
