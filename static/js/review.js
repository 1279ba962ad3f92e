// The review page of an import: presses are swapped in place, and what was done is said.
// Without this file every button still works: the server draws the page anew.

const form = () => document.getElementById("review");

function say(name) {
  const line = form().querySelector(".review-trouble");
  line.hidden = !name;
  line.textContent = name ? line.dataset[name] : "";
}

// Before htmx hears of it: saving leaves the page, so it is for the browser. A second press while it
// does is the same save.
let saving = false;

document.addEventListener("submit", (event) => {
  if (event.target !== form()) return;
  left = leave(event.submitter);
  if (event.submitter?.value !== "save") return;
  event.stopImmediatePropagation();
  if (saving) event.preventDefault();
  saving = true;
}, true);

window.addEventListener("pageshow", () => { saving = false; });

// An answer that is no review (a login, an error) must not take the place of one.
document.addEventListener("htmx:after:request", (event) => {
  if (event.detail.ctx.text.includes('id="review"')) return;
  event.preventDefault();
  say("out");
});

document.addEventListener("htmx:error", () => say("away"));

// The button that was pressed may be gone, with its piece or with its menu. Then its piece, or the one
// that came next, takes its place in the window, so that whoever clears a long article stays in it.
const ROWS = ".review-piece, article.review-fix";
const home = (row) => row.closest("article, section").getAttribute("aria-labelledby");
let left = null;

function leave(button) {
  const rows = [...form().querySelectorAll(ROWS)];
  const at = rows.indexOf(button?.closest(ROWS));
  if (at < 0) return null;
  const ids = [...rows.slice(at + 1), ...rows.slice(0, at).reverse()].map((row) => row.id);
  return { id: rows[at].id, home: home(rows[at]), top: rows[at].getBoundingClientRect().top, ids };
}

function goOn() {
  const here = (id) => document.getElementById(id);
  const same = left && here(left.id);
  const row = same && home(same) === left.home ? same : left?.ids.map(here).find(Boolean);
  (row ?? here("review-said")).focus({ preventScroll: true });
  if (row) scrollBy(0, row.getBoundingClientRect().top - Math.max(left.top, 0));
}

document.addEventListener("htmx:after:swap", () => {
  for (const menu of form().querySelectorAll(".review-more[open]")) menu.open = false;
  const now = document.activeElement;
  if (now === document.body || now.closest(".review-menu")) goOn();
});
