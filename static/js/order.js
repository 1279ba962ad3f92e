// The order of a guide: dragging a fix writes the numbers that the form sends.
// Without this file the numbers can be typed.

const list = document.querySelector("[data-order]");

if (list) {
  list.classList.add("numbers-draggable");
  Sortable.create(list, {
    animation: 120,
    filter: "input",
    preventOnFilter: false,
    onEnd: () => {
      for (const [at, input] of list.querySelectorAll("input").entries()) input.value = at + 1;
    },
  });
}
