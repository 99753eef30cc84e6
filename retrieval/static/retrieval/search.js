// Searching by picture: choose, drop or paste one. Its results are fetched in place, so the picture stays at hand for
// the next page, filter or weight. Words alone go to an address of their own.
"use strict";

const form = document.getElementById("search");
const words = document.getElementById("q");
const input = document.getElementById("picture");
const panel = document.getElementById("picture-panel");
const preview = document.getElementById("picture-preview");
const pictureName = document.getElementById("picture-name");
const removal = document.getElementById("picture-remove");
const weight = document.getElementById("weight");
const results = document.getElementById("results");
const failed = document.getElementById("failed");
const news = document.getElementById("news");
const dropHere = document.getElementById("drop-here");
// As in the view: longer queries are posted.
const LONGEST_ADDRESS = 2000;

let picture = null;
let running = null;

for (const element of document.querySelectorAll(".needs-script")) {
  element.hidden = false;
}
for (const element of document.querySelectorAll(".without-script")) {
  element.hidden = true;
}
input.classList.add("unseen");
document.getElementById("picture-button").setAttribute("role", "button");
document.getElementById("picture-button").tabIndex = 0;
document.getElementById("picture-button").addEventListener("keydown", (event) => {
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    input.click();
  }
});
input.tabIndex = -1;

function show() {
  panel.hidden = picture === null;
  weight.hidden = picture === null || words.value.trim() === "";
}

function hold(file) {
  if (preview.src) {
    URL.revokeObjectURL(preview.src);
  }
  picture = file;
  if (file) {
    preview.src = URL.createObjectURL(file);
    pictureName.textContent = file.name || "";
  } else {
    preview.removeAttribute("src");
    input.value = "";
  }
  show();
}

async function ask(page) {
  const body = new FormData(form);
  body.set("picture", picture, picture.name || "picture.png");
  body.set("page", String(page));
  running?.abort();
  running = new AbortController();
  const mine = running;
  results.setAttribute("aria-busy", "true");
  failed.hidden = true;
  try {
    const answer = await fetch(form.action, { method: "POST", body, signal: mine.signal });
    if (answer.redirected) {
      location.href = answer.url; // Signed out meanwhile.
      return;
    }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("results");
    if (!fresh) {
      throw new Error("no results in the answer");
    }
    results.replaceChildren(...fresh.childNodes);
    document.body.classList.remove("fresh");
    document.querySelector(".welcome")?.classList.replace("welcome", "unseen");
    news.textContent = results.querySelector("#total, .problem")?.textContent.trim() ?? "";
    scrollTo({ top: 0 });
  } catch (error) {
    if (error.name !== "AbortError") {
      failed.hidden = false;
    }
  } finally {
    if (mine === running) {
      results.removeAttribute("aria-busy");
    }
  }
}

form.addEventListener("submit", (event) => {
  if (picture) {
    event.preventDefault();
    ask(1);
    return;
  }
  const address = new URL(form.action);
  address.searchParams.set("q", words.value.trim());
  if (address.href.length - address.origin.length <= LONGEST_ADDRESS) {
    event.preventDefault();
    location.href = address.href;
  }
});

// Filters and pages of a search by picture: the same words, the same picture, asked again.
results.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-query]");
  if (!link || !picture || event.ctrlKey || event.metaKey || event.shiftKey) {
    return;
  }
  event.preventDefault();
  const asked = new URL(link.href).searchParams;
  words.value = asked.get("q") ?? "";
  show();
  ask(Number(asked.get("page") ?? 1));
});

input.addEventListener("change", () => {
  if (input.files.length) {
    hold(input.files[0]);
    ask(1);
  }
});
removal.addEventListener("click", () => {
  hold(null);
  words.focus();
});
words.addEventListener("input", show);
document.getElementById("words-weight").addEventListener("change", () => picture && ask(1));

document.addEventListener("paste", (event) => {
  const file = [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith("image/"));
  if (file) {
    event.preventDefault();
    hold(file);
    ask(1);
  }
});
function carriesFiles(event) {
  return event.dataTransfer?.types.includes("Files");
}
document.addEventListener("dragover", (event) => {
  if (carriesFiles(event)) {
    event.preventDefault();
    dropHere.hidden = false;
  }
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) {
    dropHere.hidden = true;
  }
});
document.addEventListener("drop", (event) => {
  dropHere.hidden = true;
  if (!carriesFiles(event)) {
    return;
  }
  event.preventDefault();
  if (event.dataTransfer.files.length) {
    hold(event.dataTransfer.files[0]);
    ask(1);
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) {
    event.preventDefault();
    words.focus();
    words.select();
  }
});

show();
// After "back" a browser may have kept the chosen file in the field.
if (input.files.length) {
  hold(input.files[0]);
}
