// Pictures by paste or drop. Without this file, the file input beside it does the same.
//
// A page has a zone for each picture: an element with data-picture that holds a file input, a
// canvas for the preview and a status. A picture pasted or dropped there becomes the input's file,
// and its change event tells whoever listens.

(() => {
  const zones = () => document.querySelectorAll("[data-picture]");
  const zoneOf = (node) => (node instanceof Element ? node.closest("[data-picture]") : null);
  const hasFile = (transfer) => Boolean(transfer) && [...transfer.types].includes("Files");

  function say(zone, sentence, wrong) {
    const status = zone.querySelector("[role=status]");
    status.textContent = sentence;
    status.classList.toggle("desk-wrong", wrong);
  }

  function take(zone, transfer) {
    const file = [...transfer.files].find((each) => each.type.startsWith("image/"));
    if (!file) return say(zone, zone.dataset.noPicture, true);
    const held = new DataTransfer();
    held.items.add(file);
    const input = zone.querySelector("input[type=file]");
    input.files = held.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  // A canvas, because the policy for content lets no page show an image from anywhere but here.
  async function show(zone, file) {
    const canvas = zone.querySelector("canvas");
    canvas.hidden = true;
    say(zone, "", false);
    if (!file) return;
    if (file.size > Number(zone.dataset.most)) return say(zone, zone.dataset.tooLarge, true);
    let bitmap;
    try {
      bitmap = await createImageBitmap(file);
    } catch {
      return; // the server says what is wrong with it
    }
    const scale = Math.min(1, 640 / bitmap.width, 480 / bitmap.height);
    canvas.width = Math.max(1, Math.round(bitmap.width * scale));
    canvas.height = Math.max(1, Math.round(bitmap.height * scale));
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    canvas.hidden = false;
    say(zone, zone.dataset.shown.replace("%s", file.name), false);
  }

  document.addEventListener("change", (event) => {
    const zone = zoneOf(event.target);
    if (zone && event.target.type === "file") show(zone, event.target.files[0]);
  });

  document.addEventListener("paste", (event) => {
    const transfer = event.clipboardData;
    if (!hasFile(transfer)) return;
    // Cells and paragraphs come as text with a picture of it: in a field, the text is meant.
    if (event.target.closest?.("textarea, input:not([type=file])") && transfer.types.includes("text/plain")) return;
    const all = zones();
    const zone = zoneOf(event.target) ?? (all.length === 1 ? all[0] : null);
    if (!zone) return;
    event.preventDefault();
    take(zone, transfer);
  });

  // A form that comes back has lost its file, so what is missing is said before it is sent.
  document.addEventListener("submit", (event) => {
    if (event.target.id === "desk") return; // it says itself what is missing
    const chosen = event.target.querySelector("[data-picture] input[type=file][name]");
    if (chosen?.files.length && !event.target.reportValidity()) event.preventDefault();
  });

  // A file dropped beside the zone would otherwise replace the page, and what was typed into it.
  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      if (!hasFile(event.dataTransfer) || !zones().length) return;
      const zone = zoneOf(event.target);
      event.preventDefault();
      for (const each of zones()) each.classList.toggle("desk-over", each === zone && kind === "dragover");
      if (!zone) event.dataTransfer.dropEffect = "none";
      else if (kind === "drop") take(zone, event.dataTransfer);
    });
  }
})();
