// Keeps a run's page up to date: fetches it when the run has moved, and swaps the part that moves.
"use strict";

const PERIOD_MS = 1000;
const news = document.getElementById("run-news");
const offline = document.getElementById("run-offline");

function live() {
  return document.getElementById("run");
}

function prepare() {
  for (const form of document.querySelectorAll("form.act")) {
    form.hidden = false;
    form.addEventListener("submit", act);
  }
}

// Pause, resume, cancel, retry: sends the form to the API, and says so when that refuses.
async function act(event) {
  event.preventDefault();
  const form = event.currentTarget;
  const button = form.querySelector("button");
  button.disabled = true;
  let accepted = false;
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      headers: { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value, Accept: "application/json" },
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
    form.querySelector(".problem-text").textContent = form.dataset.failed;
  }
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

// The server says when something has changed. Where it will not (too many streams are open, no EventSource), the page
// asks each second.
let stream = null;
let timer = 0;

function watch() {
  clearTimeout(timer);
  const address = live().dataset.events;
  if (!address) {
    stream?.close();
    stream = null;
  } else if (!window.EventSource) {
    poll();
  } else if (!stream) {
    stream = new EventSource(address);
    stream.addEventListener("progress", changed);
    stream.addEventListener("end", changed);
    stream.addEventListener("error", () => {
      // One that was refused is closed for good; one that broke off connects again by itself.
      if (stream && stream.readyState === EventSource.CLOSED) {
        stream = null;
        poll();
      }
    });
  }
}

async function changed() {
  if (!document.hidden) {
    await refresh();
    watch();
  }
}

function poll() {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    if (!document.hidden) {
      await refresh();
    }
    if (live().dataset.events) {
      poll();
    }
  }, PERIOD_MS);
}

document.addEventListener("visibilitychange", changed);
prepare();
watch();
