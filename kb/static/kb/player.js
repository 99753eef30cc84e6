// Brings the player to the moment that a link names, and shows which scene and line are on.
"use strict";

const player = document.getElementById("player");
const moments = [...document.querySelectorAll("a[data-seconds]")];

function seek(seconds) {
  player.currentTime = seconds;
}

if (player) {
  const at = Number(player.dataset.at || 0);
  if (at) {
    if (player.readyState >= HTMLMediaElement.HAVE_METADATA) {
      seek(at);
    } else {
      player.addEventListener("loadedmetadata", () => seek(at), { once: true });
    }
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-seconds]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) {
      return;
    }
    event.preventDefault();
    seek(Number(link.dataset.seconds));
    history.replaceState(null, "", link.href);
    // Refused until the person has touched the page in some browsers: then it waits at the moment.
    player.play().catch(() => undefined);
    player.scrollIntoView({ block: "nearest" });
  });
  player.addEventListener("timeupdate", () => {
    const now = player.currentTime;
    for (const link of moments) {
      const on = Number(link.dataset.seconds) <= now && now < Number(link.dataset.end);
      if (on) {
        link.setAttribute("aria-current", "true");
      } else {
        link.removeAttribute("aria-current");
      }
    }
  });
}
