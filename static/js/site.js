// What HTML alone cannot do. Every page works without this file.

document.documentElement.classList.add("js");

// A form sent twice is sent once (htmx looks after its own).
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.hasAttribute("hx-post") || form.method === "get") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
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

// An answer that did not reach us must never look as if it had.
const unsaved = document.getElementById("unsaved");
document.addEventListener("htmx:before:request", () => { unsaved.hidden = true; });
document.addEventListener("htmx:error", (event) => {
  unsaved.hidden = false;
  unsaved.scrollIntoView({ block: "nearest" });
});
