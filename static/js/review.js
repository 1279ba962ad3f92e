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
  if (event.target !== form() || event.submitter?.value !== "save") return;
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

// The button that was pressed may be gone; then what was said is where to go on.
document.addEventListener("htmx:after:swap", () => {
  for (const menu of form().querySelectorAll(".review-more[open]")) menu.open = false;
  if (document.activeElement === document.body) document.getElementById("review-said").focus();
});
