"use strict";
// Fetches new messages while a conversation is being looked at. Without this file the page shows them when reloaded.

(() => {
  const QUICK = 1500; // ms between two looks while something goes on
  const SLOW = 20000; // where nothing has happened for long
  const STEP = 1.3; // each look that finds nothing, after a minute of calm, waits longer
  const CALM = 60000;
  let wait = QUICK;
  let lively = Date.now();
  let timer = 0;
  let asking = false;

  const list = () => document.getElementById("talk");

  function last() {
    const items = list().querySelectorAll("[data-seq]");
    return items.length ? Number(items[items.length - 1].dataset.seq) : 0;
  }

  // A page of earlier messages does not end with the newest: what comes would stand in the wrong place.
  const atEnd = () => list() && last() >= Number(list().dataset.after);

  function plan() {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(look, wait);
  }

  async function look() {
    if (!atEnd() || asking) return plan();
    asking = true;
    const before = last();
    const options = { target: "#talk", swap: "beforeend", source: "#talk" };
    await htmx.ajax("GET", `${list().dataset.new}?after=${before}`, options).catch(() => {});
    asking = false;
    if (list() && last() > before) wake();
    else if (Date.now() - lively > CALM) wait = Math.min(wait * STEP, SLOW);
    plan();
  }

  function wake() {
    lively = Date.now();
    wait = QUICK;
  }

  // A message that was just sent may come by both ways: one of the two goes.
  document.addEventListener("htmx:afterSwap", () => {
    const seen = new Set();
    if (!list()) return;
    list().querySelectorAll("[data-seq]").forEach((item) => {
      if (seen.has(item.id)) item.remove();
      seen.add(item.id);
    });
  });

  // A look or a draft that fails is no news: the reader asked for nothing. A conversation that is gone goes.
  function hush(event) {
    if (!["talk", "draft"].includes(event.detail.elt.id)) return;
    event.stopPropagation();
    if (event.type === "htmx:sendError") wait = SLOW;
    else if (event.detail.xhr.status === 404) location.reload();
  }
  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    document.addEventListener(name, hush, true);
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden) return;
    wake();
    look();
  });
  document.addEventListener("input", () => { wake(); plan(); });
  document.addEventListener("DOMContentLoaded", plan);
})();
