// The Corpus tab: the table of articles, uploads, deletions that can be taken back, and what questions keep to.
// Like page.js it writes no text of others as HTML: what the server sends was escaped there.
(() => {
  "use strict";

  const polycite = window.polycite;
  const BUSY = 500; // milliseconds between two looks at a folder that is being indexed
  const CALM = 2000;
  const PAUSE = 250; // after a key, before the table is searched
  let root = null;
  let narrow = () => {}; // hands the chat what it keeps to
  let wish = { sort: "date", down: "1", page: "0" };
  let shownLanguage = "";
  let version = -1; // of the articles in the table
  let ticket = 0; // tells the latest request from earlier ones
  let timer = 0;
  let typing = 0;
  let opener = null; // what had the focus before an article was opened
  let uploading = Promise.resolve();

  const $ = (selector, parent = root) => parent.querySelector(selector);
  const $$ = (selector, parent = root) => [...parent.querySelectorAll(selector)];
  const showing = () => window.location.hash === "#corpus";
  const said = (key) => $(".pc-lib").dataset[key];

  // ---- which tab is open --------------------------------------------------------------------------------------------

  function showView() {
    document.body.classList.toggle("pc-corpus-open", showing());
    if (!showing()) return window.clearTimeout(timer);
    polycite.close();
    if (shownLanguage !== polycite.language()) loadTab();
    else look();
  }

  async function loadTab() {
    const mine = ++ticket;
    const ui = polycite.language();
    const html = await polycite.fetchText(`page/corpus?${new URLSearchParams({ ...wish, ui })}`);
    if (mine !== ticket || html === null) return;
    const kept = $(".pc-lib-filters") ? fields() : {};
    shownLanguage = ui;
    root.innerHTML = html;
    for (const [name, value] of Object.entries(kept)) $(`.pc-lib-filters [name=${name}]`).value = value;
    onBody();
    onNarrowing();
    look();
  }

  async function loadBody() {
    const mine = ++ticket;
    const query = new URLSearchParams({ ...wish, ...fields(), ui: polycite.language() });
    const html = await polycite.fetchText(`page/corpus/list?${query}`);
    if (mine !== ticket || html === null) return;
    const focus = focused();
    const open = Boolean($(".pc-lib-trash[open]"));
    $(".pc-lib-body").innerHTML = html;
    if (open && $(".pc-lib-trash")) $(".pc-lib-trash").open = true;
    onBody();
    if (focus && document.activeElement === document.body && $(focus)) $(focus).focus({ preventScroll: true });
  }

  // How to find what has the focus once the table is drawn again.
  function focused() {
    const element = document.activeElement;
    if (!element || !$(".pc-lib-body").contains(element)) return "";
    const kind = [...element.classList].filter((name) => name.startsWith("pc-")).map((name) => `.${name}`).join("");
    const data = Object.entries(element.dataset).map(([key, value]) => `[data-${key}="${CSS.escape(value)}"]`).join("");
    return `.pc-lib-body ${element.localName}${kind}${data}`;
  }

  function onBody() {
    const line = $(".pc-lib-line");
    const head = document.querySelector(".pc-corpus");
    if (line && line.innerHTML && head) {
      head.replaceChildren(line.content.cloneNode(true));
    }
  }

  // ---- what is being done about the folder ----------------------------------------------------------------------------

  function look() {
    window.clearTimeout(timer);
    if (!showing()) return;
    timer = window.setTimeout(async () => {
      const text = document.hidden ? null : await polycite.fetchText("page/corpus/state");
      const state = text === null ? null : JSON.parse(text);
      if (state) await onState(state);
      look();
    }, $(".pc-lib-doing.pc-busy") || $(".pc-lib-file-waits") || version < 0 ? BUSY : CALM);
  }

  async function onState(state) {
    const now = JSON.stringify([state.version, state.busy, state.stage, state.done, state.error, state.ready]);
    if (now !== version) {
      version = now;
      await loadBody();
    }
    for (const line of $$(".pc-lib-file-waits")) {
      if (state.busy || state.version <= Number(line.dataset.version)) continue;
      line.classList.remove("pc-lib-file-waits");
      tell(line, state.error || said("ready"), state.error ? "wrong" : "done");
    }
  }

  // ---- files in -----------------------------------------------------------------------------------------------------

  function take(files) {
    for (const file of files) {
      const line = addLine(file.name);
      const fault = wrong(file);
      if (fault) tell(line, fault, "wrong");
      else uploading = uploading.then(() => send(file, line));
    }
  }

  function wrong(file) {
    const kinds = $(".pc-lib-drop input").accept.split(",");
    if (!kinds.some((kind) => file.name.toLowerCase().endsWith(kind))) return said("kind");
    return file.size > Number($(".pc-lib").dataset.most) ? $(".pc-lib").dataset.large : "";
  }

  function addLine(name) {
    const line = document.createElement("li");
    const shown = document.createElement("bdi");
    shown.textContent = name;
    const bar = document.createElement("progress");
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", name);
    const state = document.createElement("span");
    state.className = "pc-lib-file-state";
    state.textContent = said("sending");
    line.append(shown, bar, state);
    $(".pc-lib-files").prepend(line);
    while ($$(".pc-lib-files li").length > 30) $(".pc-lib-files li:last-child").remove();
    return line;
  }

  function tell(line, text, outcome = "") {
    $(".pc-lib-file-state", line).textContent = text;
    if (outcome) $("progress", line)?.remove();
    line.classList.toggle("pc-lib-file-wrong", outcome === "wrong");
    line.classList.toggle("pc-lib-file-done", outcome === "done");
  }

  function send(file, line) {
    return new Promise((done) => {
      const request = new XMLHttpRequest();
      request.upload.onprogress = ({ loaded, total }) => {
        $("progress", line).value = loaded / (total || 1);
        if (loaded === total) tell(line, said("reading"));
      };
      request.onloadend = () => {
        onSent(request, line);
        done();
      };
      request.open("POST", `page/corpus/upload?${new URLSearchParams({ name: file.name })}`);
      request.send(file);
    });
  }

  function onSent(request, line) {
    let answer = {};
    try { answer = JSON.parse(request.responseText); } catch { /* no answer of ours: see below */ }
    const name = `${$("bdi", line).textContent}: `; // stands beside it already
    const error = (answer.error || said("failed")).replace(name, () => "");
    if (!answer.name) return tell(line, error, "wrong");
    if (answer.same) return tell(line, said("same"), "done");
    tell(line, answer.replaced ? `${said("replaced")} ${said("added")}` : said("added"));
    $("progress", line).removeAttribute("value");
    line.classList.add("pc-lib-file-waits");
    line.dataset.version = answer.version;
    look();
  }

  // ---- articles out, and back ---------------------------------------------------------------------------------------

  async function post(action, query) {
    try {
      const response = await fetch(`page/corpus/${action}?${new URLSearchParams(query)}`, { method: "POST" });
      return await response.json();
    } catch {
      return {};
    }
  }

  async function remove(button) {
    button.disabled = true;
    const { name, key, error } = await post("delete", { name: button.dataset.name });
    button.disabled = false;
    if (!name) return notice(error || said("failed"), "");
    notice(said("deleted").replace("{name}", () => name), key);
    await loadBody();
    look();
  }

  async function restore(key) {
    const { name, error } = await post("restore", { key });
    notice(name ? said("restored").replace("{name}", () => name) : error || said("failed"), "");
    await loadBody();
    look();
  }

  // What has just happened; with a key, how to take it back.
  function notice(text, key) {
    const line = $(".pc-lib-notice");
    const words = document.createElement("bdi");
    words.textContent = text;
    line.replaceChildren(words);
    line.hidden = false;
    if (!key) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "pc-link pc-lib-undo";
    button.dataset.key = key;
    button.textContent = said("undo");
    line.append(" ", button);
    button.focus({ preventScroll: true });
  }

  // ---- reading ------------------------------------------------------------------------------------------------------

  async function read(button) {
    opener = `.pc-lib-open[data-name="${CSS.escape(button.dataset.name)}"]`;
    const path = button.dataset.name.split("/").map(encodeURIComponent).join("/");
    const html = await polycite.fetchText(`page/article/${path}?${new URLSearchParams({ ui: polycite.language() })}`);
    const window_ = $(".pc-lib-reader");
    const text = $(".pc-lib-text", window_);
    if (html === null) text.textContent = said("failed");
    else text.innerHTML = html;
    if (!window_.open) window_.showModal();
    text.scrollTop = 0;
    text.focus({ preventScroll: true });
  }

  function onReaderClosed() {
    $(".pc-lib-text").textContent = "";
    if (opener && $(opener)) $(opener).focus({ preventScroll: true });
  }

  // ---- what the reader wants to see, and what questions keep to -------------------------------------------------------

  const fields = () => Object.fromEntries(new FormData($(".pc-lib-filters")));

  function narrowing() {
    const { language, since, until } = fields();
    return { language, since, until };
  }

  function onNarrowing() {
    $(".pc-lib-ask").disabled = !Object.values(narrowing()).some(Boolean);
  }

  function onFilter() {
    wish.page = "0";
    onNarrowing();
    loadBody();
  }

  function sortBy(sort) {
    const down = sort === wish.sort ? wish.down !== "1" : sort === "date" || sort === "sentences";
    wish = { sort, down: down ? "1" : "0", page: "0" };
    loadBody();
  }

  function askOnlyThese() {
    narrow(narrowing());
    window.location.hash = "#ask";
    document.querySelector("#pc-question textarea")?.focus({ preventScroll: true });
  }

  // ---- into the page ------------------------------------------------------------------------------------------------

  function onClick(event) {
    const button = event.target.closest("button");
    if (event.target.matches(".pc-lib-reader")) return event.target.close(); // beside the window
    if (!button) return;
    if (button.matches(".pc-lib-open")) read(button);
    if (button.matches(".pc-lib-delete")) remove(button);
    if (button.matches(".pc-lib-restore, .pc-lib-undo")) restore(button.dataset.key);
    if (button.matches("[data-sort]")) sortBy(button.dataset.sort);
    if (button.matches("[data-page]")) { wish.page = button.dataset.page; loadBody(); }
    if (button.matches(".pc-lib-ask")) askOnlyThese();
    if (button.matches(".pc-lib-reader .pc-close")) $(".pc-lib-reader").close();
  }

  function onChange(event) {
    if (event.target.matches(".pc-lib-drop input")) {
      take(event.target.files);
      event.target.value = "";
    } else if (event.target.closest(".pc-lib-filters")) onFilter();
  }

  function onInput(event) {
    if (!event.target.matches("[name=text]")) return;
    window.clearTimeout(typing);
    typing = window.setTimeout(onFilter, PAUSE);
  }

  function onDrag(event) {
    if (!showing() || ![...(event.dataTransfer?.types || [])].includes("Files")) return;
    event.preventDefault();
    const over = event.type === "dragover";
    $(".pc-lib-drop")?.classList.toggle("pc-lib-over", over);
    if (event.type === "drop" && $(".pc-lib-drop")) take(event.dataTransfer.files);
  }

  polycite.mounts.corpus = (element) => {
    root = element;
    element.addEventListener("click", onClick);
    element.addEventListener("change", onChange);
    element.addEventListener("input", onInput);
    element.addEventListener("submit", (event) => event.preventDefault());
    element.addEventListener("close", (event) => { if (event.target.matches(".pc-lib-reader")) onReaderClosed(); }, true);
    // Escape closes the window alone.
    element.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && $("dialog[open]")) event.stopPropagation();
    });
    showView();
  };
  polycite.changes.corpus = () => {};
  for (const kind of ["dragover", "dragleave", "drop"]) document.addEventListener(kind, onDrag);

  polycite.mounts.only = (element, trigger) => {
    narrow = (value) => trigger("select", { index: 0, value });
    element.addEventListener("click", (event) => {
      const button = event.target.closest(".pc-only-drop");
      if (button) narrow({ drop: button.dataset.part });
    });
  };
  polycite.changes.only = () => {};

  const onHeader = polycite.changes.header;
  polycite.changes.header = (element) => {
    onHeader(element);
    if (root && showing() && shownLanguage && shownLanguage !== polycite.language()) loadTab();
  };
  window.addEventListener("hashchange", () => { if (root) showView(); });
})();
