// Sends the chosen files, or a folder with its paths, and then goes to the page that shows how it is going.
"use strict";

const form = document.getElementById("upload");
// Names shown before the list is cut; a folder may have thousands.
const NAMES_SHOWN = 200;
// What one request takes at most; a larger folder goes in several, each a run of its own.
const FILES_A_REQUEST = 500;
const BYTES_A_REQUEST = 256 * 1024 * 1024;

if (form) {
  const collection = document.getElementById("id_collection");
  const fileInput = document.getElementById("id_files");
  const folderInput = document.getElementById("id_folder");
  const drop = document.getElementById("drop");
  const send = document.getElementById("send");
  const clear = document.getElementById("clear");
  const problem = document.getElementById("upload-problem");
  const messages = document.getElementById("upload-messages").dataset;
  // File and path, in the order chosen.
  let chosen = [];

  document.documentElement.classList.add("scripted");
  for (const element of document.querySelectorAll(".needs-script, #id_folder")) {
    element.hidden = false;
  }

  const size = (entries) => entries.reduce((sum, entry) => sum + entry.file.size, 0);
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const complain = (text) => {
    problem.textContent = text;
    problem.hidden = !text;
  };

  const show = () => {
    const bytes = size(chosen);
    const summary = document.getElementById("chosen-summary");
    summary.textContent = fill(summary.dataset.text, {
      files: chosen.length,
      megabytes: Math.max(bytes / 1048576, 0.1).toFixed(bytes < 10485760 ? 1 : 0),
    });
    const names = chosen.slice(0, NAMES_SHOWN).map((entry) => entry.path);
    if (chosen.length > NAMES_SHOWN) {
      names.push(fill(messages.more, { count: chosen.length - NAMES_SHOWN }));
    }
    document.getElementById("chosen-files").replaceChildren(
      ...names.map((name) => {
        const item = document.createElement("li");
        item.textContent = name;
        return item;
      }),
    );
    document.getElementById("chosen").hidden = chosen.length === 0;
    clear.hidden = chosen.length === 0;
    complain("");
  };

  const add = (entries) => {
    const known = new Map([...chosen, ...entries].map((entry) => [entry.path, entry]));
    chosen = [...known.values()];
    show();
  };

  for (const input of [fileInput, folderInput]) {
    input.addEventListener("change", () => {
      add([...input.files].map((file) => ({ file, path: file.webkitRelativePath || file.name })));
      input.value = "";
    });
  }
  clear.addEventListener("click", () => {
    chosen = [];
    show();
  });

  // A dropped folder is read entry by entry; a directory reader hands out at most a hundred at a time.
  const read = async (entry) => {
    if (entry.isFile) {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      return [{ file, path: entry.fullPath.replace(/^\//, "") }];
    }
    const reader = entry.createReader();
    const found = [];
    for (;;) {
      const batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!batch.length) {
        return found;
      }
      for (const child of batch) {
        found.push(...(await read(child)));
      }
    }
  };

  document.addEventListener("dragover", (event) => {
    if (event.dataTransfer?.types.includes("Files")) {
      event.preventDefault();
      drop.classList.add("over");
    }
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) {
      drop.classList.remove("over");
    }
  });
  document.addEventListener("drop", async (event) => {
    drop.classList.remove("over");
    if (!event.dataTransfer?.types.includes("Files")) {
      return;
    }
    event.preventDefault();
    // Entries must be taken before the first wait: the event's data is gone after it.
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    for (const entry of entries) {
      add(await read(entry));
    }
  });

  const batches = (entries) => {
    const found = [];
    let bytes = Infinity;
    for (const entry of entries) {
      if (bytes + entry.file.size > BYTES_A_REQUEST || found.at(-1).length >= FILES_A_REQUEST) {
        found.push([]);
        bytes = 0;
      }
      found.at(-1).push(entry);
      bytes += entry.file.size;
    }
    return found;
  };

  const sent = document.getElementById("sent");
  const sentText = document.getElementById("sending-text");
  const post = (entries, already, total) =>
    new Promise((resolve, reject) => {
      const body = new FormData();
      for (const entry of entries) {
        body.append("paths", entry.path);
        body.append("files", entry.file);
      }
      const request = new XMLHttpRequest(); // fetch does not tell how much has been sent.
      request.open("POST", collection.selectedOptions[0].dataset.uploads);
      request.setRequestHeader("X-CSRFToken", form.elements.csrfmiddlewaretoken.value);
      request.setRequestHeader("Accept", "application/json");
      request.responseType = "json";
      request.upload.addEventListener("progress", (event) => {
        // The body is a little more than the files in it.
        sent.value = Math.min((already + event.loaded) / Math.max(total, 1), 1);
        sentText.textContent = fill(sentText.dataset.text, { percent: Math.floor(100 * sent.value) });
      });
      request.addEventListener("load", () => resolve(request));
      request.addEventListener("error", reject);
      request.send(body);
    });

  // Sends everything chosen; true when it has all arrived. What has arrived is not chosen any more.
  const sendAll = async (runs) => {
    const total = size(chosen);
    for (const batch of batches(chosen)) {
      let answer;
      try {
        answer = await post(batch, total - size(chosen), total);
      } catch {
        complain(messages.offline);
        return false;
      }
      const run = answer.response?.run?.id;
      if (answer.status < 200 || answer.status > 299 || run === undefined) {
        complain(answer.response?.error?.message ?? fill(messages.failed, { status: answer.status }));
        return false;
      }
      runs.push(run);
      chosen = chosen.slice(batch.length);
    }
    return true;
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!chosen.length) {
      complain(messages.none);
      return;
    }
    complain("");
    send.disabled = true;
    document.getElementById("sending").hidden = false;
    const runs = [];
    if (await sendAll(runs)) {
      // Of several runs the upload page shows the list.
      location.href = runs.length === 1 ? form.dataset.run.replace("/0/", `/${runs[0]}/`) : form.dataset.uploads;
      return;
    }
    const said = problem.textContent;
    show();
    complain(said);
    send.disabled = false;
    document.getElementById("sending").hidden = true;
  });
}
