// Asks the browser for a passkey when a form with data-passkey is sent, and sends its answer.
"use strict";

const options = JSON.parse(document.getElementById("passkey-options").textContent);
const fault = document.querySelector(".passkey-fault");

const ceremonies = {
  async create() {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(
      options.creation_options.publicKey,
    );
    return navigator.credentials.create({ publicKey });
  },
  async get() {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(
      options.request_options.publicKey,
    );
    return navigator.credentials.get({ publicKey });
  },
};

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    fault.hidden = true;
    try {
      const credential = await ceremonies[form.dataset.passkey]();
      form.elements.credential.value = JSON.stringify(credential.toJSON());
      form.submit();
    } catch {
      fault.hidden = false; // not supported, cancelled, or not for this address
    }
  });
}
