// Is there somebody to take what a form of staff sends? Whoever was logged out meanwhile, or is off
// the network, keeps the page and everything on it, and `say` tells them: "out" or "away".
// A new login has a new token, so the form gets that.
async function answered(form, say) {
  let page;
  try {
    page = await fetch(location.pathname, { redirect: "manual" });
  } catch {
    say("away");
    return false;
  }
  if (!page.ok) {
    say(page.type === "opaqueredirect" ? "out" : "away");
    return false;
  }
  const fresh = new DOMParser().parseFromString(await page.text(), "text/html");
  const token = fresh.querySelector(`#${form.id} [name=csrfmiddlewaretoken]`);
  if (token) form.querySelector("[name=csrfmiddlewaretoken]").value = token.value;
  return true;
}
