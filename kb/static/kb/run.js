// Keeps a run's page up to date: fetches it each second while the run goes on, and swaps the part that moves.
"use strict";

const PERIOD_MS = 1000;
const news = document.getElementById("run-news");
const offline = document.getElementById("run-offline");

function live() {
  return document.getElementById("run");
}

function prepare() {
  const retry = document.getElementById("retry");
  if (!retry) {
    return;
  }
  retry.hidden = false;
  retry.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = retry.querySelector("button");
    button.disabled = true;
    let accepted = false;
    try {
      const answer = await fetch(retry.action, {
        method: "POST",
        headers: { "X-CSRFToken": retry.elements.csrfmiddlewaretoken.value, Accept: "application/json" },
      });
      accepted = answer.ok;
    } catch {
      accepted = false;
    }
    if (accepted) {
      await refresh();
      watch();
    } else {
      button.disabled = false;
      retry.querySelector(".problem-text").textContent = retry.dataset.failed;
    }
  });
}

async function refresh() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
    if (answer.redirected) {
      location.reload(); // Signed out meanwhile.
      return;
    }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("run");
    if (!fresh) {
      throw new Error("no run in the answer");
    }
    const before = document.getElementById("run-state").textContent;
    const focused = document.activeElement?.closest("#run") ? document.activeElement.getAttribute("href") : null;
    live().replaceWith(fresh);
    if (focused !== null) {
      [...fresh.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)?.focus();
    }
    const after = document.getElementById("run-state").textContent;
    if (after !== before) {
      news.textContent = after;
    }
    offline.hidden = true;
    prepare();
  } catch {
    offline.hidden = false;
  }
}

let timer = 0;
function watch() {
  clearTimeout(timer);
  if (live().dataset.state !== "running") {
    return;
  }
  timer = setTimeout(async () => {
    if (!document.hidden) {
      await refresh();
    }
    watch();
  }, PERIOD_MS);
}

prepare();
watch();
