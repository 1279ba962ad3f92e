// The page of one escalation: whoever was logged out meanwhile keeps what is typed on it.
// Without this file every button still works.

const asks = document.getElementById("asks");

function say(name) {
  const line = asks.querySelector(".asks-trouble");
  line.hidden = !name;
  line.textContent = name ? line.dataset[name] : "";
}

// Each press asks first. A second one while it does is the same press.
let pressed = false;
let heard = false;

asks.addEventListener("submit", async (event) => {
  if (heard) return;
  event.preventDefault();
  if (pressed) return;
  pressed = true;
  say("");
  heard = await answered(asks, say);
  if (heard) asks.requestSubmit(event.submitter); // comes by here again, and is let through
  pressed = heard;
  heard = false;
});

window.addEventListener("pageshow", () => { pressed = false; });
