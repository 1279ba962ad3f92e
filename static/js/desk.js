// The desk of a guide: dragging, the live preview, and a warning before unsaved work is lost.
// Without this file every button still works: the server draws the desk anew.

const desk = () => document.getElementById("desk");
const say = (name) => {
  const line = desk().querySelector(".desk-trouble");
  line.hidden = !name;
  line.textContent = name ? line.dataset[name] : "";
};

// --- What is not saved yet ---------------------------------------------------------------------

let leaving = false;

function touch() {
  desk().dataset.unsaved = "";
  desk().querySelector(".desk-unsaved")?.removeAttribute("hidden");
  for (const done of desk().querySelectorAll(".desk-done")) done.remove();
  preview();
}

window.addEventListener("beforeunload", (event) => {
  if (!leaving && desk() && "unsaved" in desk().dataset) event.preventDefault();
});

document.addEventListener("input", (event) => {
  const field = event.target;
  if (!field.form || field.form !== desk() || field.name === "library") return;
  if (field.name.endsWith(".title")) {
    const card = field.closest("[data-fix]");
    for (const each of document.querySelectorAll(`[data-title="${card?.dataset.fix}"]`)) {
      each.textContent = field.value;
    }
  }
  touch();
});

// Saving leaves the page, so it asks first. A second press while it does is the same save.
let saving = false;

async function save(act) {
  if (saving) return;
  saving = true;
  say("");
  if (!await answered(desk(), say)) {
    saving = false;
    return;
  }
  const asked = document.createElement("input");
  Object.assign(asked, { type: "hidden", name: "act", value: act });
  desk().append(asked);
  leaving = true;
  desk().submit();
}

// Before htmx hears of it: saving is for the browser, moving needs no server.
document.addEventListener("submit", (event) => {
  if (event.target !== desk()) return;
  const button = event.submitter;
  const [act, name] = (button?.value ?? "save").split(":");
  if (button?.formTarget === "_blank") return event.stopImmediatePropagation();
  if (act === "save" || act === "publish") {
    event.preventDefault();
    event.stopImmediatePropagation();
    save(act);
  } else if (act === "up" || act === "down") {
    event.preventDefault();
    event.stopImmediatePropagation();
    step(document.querySelector(`[data-name="${name}"]`), act, button);
  }
}, true);

document.addEventListener("click", (event) => {
  if (event.target.closest(".desk-leave")) leaving = true;
});

// Enter in the search of the library searches; elsewhere it saves.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.target.name !== "library") return;
  event.preventDefault();
  document.getElementById("search").click();
});

// --- Rows --------------------------------------------------------------------------------------

function step(card, act, button) {
  const other = act === "up" ? card.previousElementSibling : card.nextElementSibling;
  if (other) act === "up" ? other.before(card) : other.after(card);
  button.focus();
  moved(card);
}

function moved(card) {
  const rows = [...card.parentElement.children];
  const live = document.getElementById("desk-live");
  live.textContent = live.dataset.moved
    .replace("%(place)s", rows.indexOf(card) + 1).replace("%(total)s", rows.length);
  touch();
}

function ready() {
  for (const list of document.querySelectorAll("[data-sort]")) {
    if (desk().querySelector(".desk-all").disabled || Sortable.get(list)) continue;
    Sortable.create(list, {
      handle: ".desk-handle",
      draggable: `#${list.id} > .desk-card`,
      animation: 120,
      onEnd: (event) => { if (event.oldIndex !== event.newIndex) moved(event.item); },
    });
  }
}

// A picture that was chosen, pasted or dropped (pictures.js) is sent at once.
document.addEventListener("change", (event) => {
  const [file] = event.target.files ?? [];
  if (!file || event.target.form !== desk()) return;
  const zone = event.target.closest("[data-picture]");
  if (file.size > Number(zone.dataset.most)) return;
  desk().requestSubmit(zone.querySelector(".desk-send"));
});

// The server draws folds closed; what the editor opened stays open.
document.addEventListener("toggle", (event) => {
  const field = event.target.matches?.(".desk-fold") && event.target.querySelector("[name$='.open']");
  if (field) field.value = event.target.open ? "1" : "";
}, true);

document.addEventListener("htmx:before:morph:attr", (event) => {
  const kept = event.target.matches?.("details.desk-more, details.desk-findings");
  if (kept && event.detail.attrName === "open") event.preventDefault();
}, true);

// An answer that is no desk (a login, an error) must not take the place of one.
document.addEventListener("htmx:after:request", async (event) => {
  if (event.detail.ctx.text.includes('id="desk"')) return say("");
  event.preventDefault();
  if (await answered(desk(), say)) say("again");
});

document.addEventListener("htmx:error", () => say("away"));

document.addEventListener("htmx:after:swap", () => {
  ready();
  for (const file of desk().querySelectorAll("input[type=file]")) file.value = ""; // it was sent
  const first = desk().querySelector("[autofocus]");
  first?.closest("details")?.setAttribute("open", "");
  first?.focus();
  touch();
});

// --- The preview -------------------------------------------------------------------------------

let timer, asking, shown;

document.addEventListener("focusin", (event) => {
  const field = event.target;
  if (field.form !== desk() || !field.name?.includes(".")) return;
  const fix = field.closest("[data-fix]")?.dataset.fix ?? "";
  const at = document.getElementById("desk-at");
  const part = /\.(loses|risk)$/.test(field.name) ? ".loses" : "";
  if (at.value === fix + part) return;
  at.value = fix + part;
  preview(0);
});

function preview(after = 400) {
  clearTimeout(timer);
  timer = setTimeout(draw, after);
}

async function draw() {
  const frame = document.querySelector(".desk-preview iframe");
  asking?.abort();
  asking = new AbortController();
  const body = new FormData(desk());
  const at = body.get("at");
  for (const [name, value] of [...body]) if (value instanceof File) body.delete(name);
  try {
    const page = await fetch(desk().dataset.sketch, { method: "POST", body, signal: asking.signal });
    if (!page.ok || page.redirected) return;
    const top = shown === at ? frame.contentWindow.scrollY : 0;
    frame.addEventListener("load", () => frame.contentWindow.scrollTo(0, top), { once: true });
    frame.srcdoc = await page.text();
    shown = at;
  } catch {
    // Aborted by a later one, or the server is away: the preview waits, saving will tell.
  }
}

// After saving, and from a finding: go on with the fix that the address names.
function unfold() {
  const card = document.getElementById(location.hash.slice(1))?.closest("[data-fix]");
  if (!card) return;
  card.querySelector(".desk-fold").open = true;
  document.getElementById("desk-at").value = card.dataset.fix;
  preview(0);
}

window.addEventListener("hashchange", unfold);

document.querySelector(".desk-preview").hidden = false;
ready();
draw();
unfold();
// Who typed before this file had come, or whose browser put back what it remembered, has not saved.
const typed = (field) => field.type === "checkbox" || field.type === "radio"
  ? field.checked !== field.defaultChecked
  : field.type !== "file" && "defaultValue" in field && field.value !== field.defaultValue;
if ([...desk().elements].some(typed)) touch();
if ("unsaved" in desk().dataset) desk().querySelector(".desk-unsaved")?.removeAttribute("hidden");
