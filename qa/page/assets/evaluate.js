// The Evaluate tab: asks the server for its HTML, starts and watches runs, and hands failed questions to the chat.
// Like page.js it writes no text of others as HTML: what the server sends was escaped there.
(() => {
  "use strict";

  const polycite = window.polycite;
  const POLL = 400; // milliseconds between two looks at a run
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  let root = null;
  let shown = {}; // the query of what is shown: {run} or {before, after}
  let shownLanguage = "";
  let ticket = 0; // tells the latest request from earlier ones
  let timer = 0;

  const $ = (selector, parent = root) => parent.querySelector(selector);
  const $$ = (selector, parent = root) => [...parent.querySelectorAll(selector)];
  const evaluating = () => window.location.hash === "#evaluate";

  // ---- which tab is open --------------------------------------------------------------------------------------------

  function showView() {
    document.body.classList.toggle("pc-evaluating", evaluating());
    markViews();
    if (!evaluating()) return;
    polycite.close();
    if (shownLanguage !== polycite.language()) load(shown);
  }

  function markViews() {
    const views = $$(".pc-view", document).map((link) => link.dataset.view);
    const current = views.find((view) => window.location.hash === `#${view}`) || views[0];
    for (const link of $$(".pc-view", document)) {
      const now = link.dataset.view === current ? "page" : null;
      if (link.getAttribute("aria-current") === now) continue;
      if (now) link.setAttribute("aria-current", now);
      else link.removeAttribute("aria-current");
    }
  }

  // ---- what is shown ------------------------------------------------------------------------------------------------

  async function load(query) {
    const mine = ++ticket;
    const ui = polycite.language();
    window.clearTimeout(timer);
    const html = await polycite.fetchText(`page/evaluate?${new URLSearchParams({ ...query, ui })}`);
    if (mine !== ticket) return;
    if (html === null) return fault("");
    shown = query;
    shownLanguage = ui;
    root.innerHTML = html;
    nameMoments();
    if ($(".pc-ev-running")) watch();
  }

  function nameMoments() {
    for (const element of $$("[data-moment]")) {
      const moment = new Date(element.dataset.moment);
      if (!Number.isNaN(moment.getTime())) element.textContent = polycite.moment(moment);
    }
  }

  function fault(text) {
    const line = $(".pc-ev-fault");
    if (!line) return;
    line.textContent = text || $(".pc-ev").dataset.failed;
    line.hidden = false;
  }

  // ---- a run --------------------------------------------------------------------------------------------------------

  async function start(query, body) {
    for (const control of $$(".pc-ev-run, .pc-ev-upload input, .pc-ev-resume")) control.disabled = true;
    const { run, error } = await post(`page/evaluate/start?${new URLSearchParams(query)}`, body);
    // A short run may be done by now, so it is asked for by its name.
    await load(run ? { run } : shown);
    if (!run) fault(error);
  }

  async function post(address, body) {
    try {
      return await (await fetch(address, { method: "POST", body })).json();
    } catch {
      return { error: "" };
    }
  }

  function watch() {
    const mine = ticket;
    timer = window.setTimeout(async () => {
      const text = await polycite.fetchText("page/evaluate/progress");
      if (mine !== ticket) return;
      const progress = text === null ? undefined : JSON.parse(text);
      if (progress === undefined) return watch(); // the server does not answer: it may again
      if (progress === null || progress.state !== "running") {
        return load(progress && progress.state === "done" ? { run: progress.run } : shown);
      }
      showProgress(progress);
      watch();
    }, POLL);
  }

  function showProgress({ done, total }) {
    const state = $(".pc-ev-running");
    if (!state) return;
    $("progress", state).value = done;
    $(".pc-ev-position", state).textContent = state.dataset.position.replace("{n}", done).replace("{total}", total);
    const said = $(".pc-busy", state);
    if (done === total && said.textContent !== state.dataset.counting) said.textContent = state.dataset.counting;
  }

  // ---- what the reader does -----------------------------------------------------------------------------------------

  function onClick(event) {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.matches(".pc-ev-run")) start({ source: button.dataset.source });
    if (button.matches(".pc-ev-resume")) start({ run: button.dataset.run });
    if (button.matches(".pc-ev-cancel")) cancel(button);
    if (button.matches(".pc-ev-open")) open({ run: button.dataset.run }, ".pc-ev-result");
    if (button.matches(".pc-ev-compare")) compare();
    if (button.matches(".pc-ev-question")) ask(button.dataset.question);
  }

  function cancel(button) {
    button.disabled = true;
    post("page/evaluate/cancel");
  }

  async function open(query, selector) {
    await load(query);
    if (query.run && $(`.pc-ev-open[data-run="${query.run}"]`)) {
      $(`.pc-ev-open[data-run="${query.run}"]`).focus({ preventScroll: true });
    }
    if ($(selector)) $(selector).scrollIntoView({ block: "start", behavior: still.matches ? "auto" : "smooth" });
  }

  const picked = () => $$(".pc-ev-pick:checked").map((box) => box.value).sort();

  function compare() {
    const [before, after] = picked(); // their names begin with their times
    open({ before, after }, ".pc-ev-comparison");
  }

  function ask(question) {
    window.location.hash = "#ask";
    polycite.askAlone(question);
  }

  function onChange(event) {
    if (event.target.matches(".pc-ev-pick")) onPick();
    if (event.target.matches("input[type=file]") && event.target.files.length) upload(event.target);
  }

  function onPick() {
    const count = picked().length;
    $(".pc-ev-compare").disabled = count !== 2;
    for (const box of $$(".pc-ev-pick:not(:checked)")) box.disabled = count >= 2;
  }

  function upload(input) {
    const file = input.files[0];
    if (file.size > Number(input.dataset.most)) {
      input.value = "";
      return fault(input.dataset.large);
    }
    start({ name: file.name }, file);
  }

  // ---- into the page ------------------------------------------------------------------------------------------------

  polycite.mounts.evaluate = (element) => {
    root = element;
    element.addEventListener("click", onClick);
    element.addEventListener("change", onChange);
    showView();
  };
  polycite.changes.evaluate = () => {};

  const onHeader = polycite.changes.header;
  polycite.changes.header = (element) => {
    onHeader(element);
    markViews();
    if (root && evaluating() && shownLanguage && shownLanguage !== polycite.language()) load(shown);
  };
  window.addEventListener("hashchange", () => { if (root) showView(); });
  document.addEventListener("click", (event) => {
    if (event.target.closest(".pc-new")) window.location.hash = "#ask";
  });
})();
