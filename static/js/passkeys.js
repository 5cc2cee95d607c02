"use strict";
// Passkeys: forms with data-passkey ask the browser for a credential before they are sent.
//   create   makes one            options: JSON in the element named by data-options
//   get      shows one again      the same
//   login    shows any of this site; the options are fetched from the form's own address

(() => {
  const WORDS = {
    old: "This browser is too old for passkeys. Update it, or log in another way.",
    insecure: "Passkeys work only on https addresses, or on http://localhost. Log in another way.",
    refused: "Nothing came from your device: it was cancelled, took too long, or holds no passkey for this site.",
    known: "This device holds a passkey for your account already.",
    offline: "The site did not answer. Check your connection and try again.",
  };

  class Problem extends Error {}

  function check() {
    if (!window.isSecureContext) throw new Problem(WORDS.insecure);
    if (!window.PublicKeyCredential || !PublicKeyCredential.parseRequestOptionsFromJSON) throw new Problem(WORDS.old);
  }

  async function options(form) {
    if (form.dataset.passkey !== "login") return JSON.parse(document.getElementById(form.dataset.options).textContent);
    const answer = await fetch(form.action, { headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer || !answer.ok) throw new Problem(WORDS.offline);
    return (await answer.json()).request_options;
  }

  async function credential(form) {
    check();
    const { publicKey } = await options(form);
    if (form.dataset.passkey !== "create") {
      return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
    }
    const alone = form.elements.passwordless && form.elements.passwordless.checked;
    publicKey.authenticatorSelection = {
      ...publicKey.authenticatorSelection,
      residentKey: alone ? "required" : "discouraged",
      requireResidentKey: Boolean(alone),
      userVerification: alone ? "required" : "preferred",
    };
    return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) });
  }

  function say(form, error) {
    const line = form.querySelector("[data-passkey-problem]");
    if (error instanceof Problem) line.textContent = error.message;
    else if (error.name === "SecurityError") line.textContent = WORDS.insecure;
    else line.textContent = error.name === "InvalidStateError" ? WORDS.known : WORDS.refused;
    line.hidden = false;
  }

  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-passkey]");
    if (!form) return;
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      form.elements.credential.value = JSON.stringify(await credential(form));
      form.submit(); // which does not come by here again
    } catch (error) {
      say(form, error);
    } finally {
      button.disabled = false;
    }
  });
})();
