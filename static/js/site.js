// What HTML alone cannot do. Every page works without this file.

document.documentElement.classList.add("js");

// An answer that did not reach us must never look as if it had.
const unsaved = document.getElementById("unsaved");
const lost = () => { unsaved.hidden = false; };

// A form sent twice is sent once (htmx looks after its own). Nobody tells us that a visitor
// stopped it on a slow network, so it may go again soon: the server takes the same once.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.hasAttribute("hx-post") || form.method === "get") return;
  if (form.dataset.sent) return event.preventDefault();
  if (!navigator.onLine && !form.dataset.reached) {
    // The browser's own page would take the place of what was typed. But a desk on this very
    // machine is reached without a network.
    event.preventDefault();
    fetch(location.href, { method: "HEAD" }).then(() => {
      form.dataset.reached = "yes";
      form.requestSubmit(event.submitter);
    }, lost);
    return;
  }
  delete form.dataset.reached;
  unsaved.hidden = true;
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, 3000);
});

// A page brought back by the Back button may send again.
window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-print]");
  if (!button) return;
  if (button.hasAttribute("data-print")) return window.print();
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.value ?? source.textContent);
    button.textContent = button.dataset.done;
  } catch {
    // No clipboard on this address (plain http): select it, so that one gesture copies.
    if (source.select) source.select();
    else getSelection().selectAllChildren(source);
  }
});

// htmx sends answers, asks for what is found while a visitor types, and for the page that Back
// leads to.
const unheard = document.getElementById("unheard");
const searches = (ctx) => ctx?.sourceElement?.type === "search";
const line = (event) => searches(event.detail.ctx) ? unheard : unsaved;

document.addEventListener("htmx:before:request", (event) => { line(event).hidden = true; });
document.addEventListener("htmx:error", (event) => { line(event).hidden = false; });

// What stands between us (a hotel's network, a proxy without its server) may answer in our
// place: its page must not take the place of the fix, nor of what was found. The answer to a
// POST of ours begins with its title.
document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  const foreign = searches(ctx) ? !ctx.text.includes('id="found"')
    : ctx.request.method === "POST" && !ctx.text.startsWith("<title>");
  if (!foreign) return;
  event.preventDefault();
  line(event).hidden = false;
});
