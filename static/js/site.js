"use strict";
// Small helpers; every page works without them. Loaded before htmx, which needs the trusted-types policy.

// htmx parses the answers of this site as HTML. Scripts are never made from text, nor loaded from elsewhere.
if (window.trustedTypes && trustedTypes.createPolicy) {
  trustedTypes.createPolicy("default", {
    createHTML: (text) => text,
    createScriptURL: (url) => {
      if (new URL(url, document.baseURI).origin !== location.origin) throw new TypeError("Script from elsewhere: " + url);
      return url;
    },
  });
}

(() => {
  const toasts = () => document.getElementById("toasts");

  // Says something for six seconds, longer while the pointer or the focus is on it.
  function toast(text) {
    const box = document.createElement("div");
    const close = document.createElement("button");
    const words = document.createElement("span");
    box.className = "toast";
    words.textContent = text;
    close.type = "button";
    close.textContent = "Close";
    close.addEventListener("click", () => box.remove());
    box.append(words, close);
    toasts().append(box);
    const leave = () => {
      if (box.matches(":hover, :focus-within")) setTimeout(leave, 2000);
      else box.remove();
    };
    setTimeout(leave, 6000);
  }

  // The server says a toast with the header HX-Trigger: {"toast": "Followed."}
  document.addEventListener("toast", (event) => toast(event.detail.value || event.detail));

  // A panel that could not be loaded says so, and how to try again.
  function failed(event) {
    const panel = event.detail.elt;
    if (!panel.matches || !panel.matches("[hx-trigger*='load']")) {
      toast("That did not work. Check your connection and try again.");
      return;
    }
    const frame = panel.querySelector("[data-failed]");
    if (frame) frame.hidden = false;
    panel.querySelectorAll(".skeleton, .skeleton-line, [data-loading]").forEach((line) => line.remove());
  }
  document.addEventListener("htmx:sendError", failed);
  document.addEventListener("htmx:timeout", failed);
  document.addEventListener("htmx:responseError", failed);

  document.addEventListener("click", async (event) => {
    const copy = event.target.closest("[data-copy]");
    if (copy) {
      await navigator.clipboard.writeText(document.getElementById(copy.dataset.copy).textContent);
      toast("Copied.");
    }
    if (event.target.closest("[data-print]")) print();
  });

  // The count of unread notifications: asked for after a minute, ever more rarely while nothing changes (at most every
  // sixteen minutes), never in a hidden tab, and at once when a tab that was hidden for a minute is looked at again.
  const MINUTE = 60_000;
  let pause = MINUTE;
  let asked = Date.now();
  let timer = 0;

  function waitToPoll() {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(poll, Math.max(0, asked + pause - Date.now()));
  }

  async function poll() {
    const nav = document.querySelector("#account-nav[data-poll]");
    if (document.hidden) return;
    asked = Date.now();
    pause = Math.min(2 * pause, 16 * MINUTE);
    if (nav) {
      const answer = await fetch(nav.dataset.poll, { headers: { "HX-Request": "true" } }).catch(() => null);
      if (answer && answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.getElementById("account-nav");
        if (fresh && fresh.textContent !== nav.textContent && !nav.contains(document.activeElement)) {
          nav.replaceWith(fresh);
          pause = MINUTE;
        }
      }
    }
    waitToPoll();
  }
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) pause = MINUTE;
    waitToPoll();
  });
  waitToPoll();

  // A note on a chip closes with Escape and comes back when the chip is left and met again.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.querySelectorAll(".tip:hover, .tip:focus-within").forEach((tip) => {
      tip.classList.add("shut");
      for (const leaving of ["mouseleave", "focusout"]) {
        tip.addEventListener(leaving, () => tip.classList.remove("shut"), { once: true });
      }
    });
  });

  // On paper everything that is folded away is open.
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details.fold:not([open])")];
    opened.forEach((fold) => { fold.open = true; });
  });
  window.addEventListener("afterprint", () => opened.forEach((fold) => { fold.open = false; }));

  // What needs this file appears with it.
  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-needs-script]").forEach((item) => { item.hidden = false; });
  });
})();
