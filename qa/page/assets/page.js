// The page's script: the reading panel, citations, and names and dates in the reader's language. The scripts after it
// use what it leaves in window.polycite. Everything shown was escaped by the server; none of them writes HTML of its own.
(() => {
  "use strict";

  const COOKIE = "polycite_language";
  const narrow = window.matchMedia("(max-width: 60rem)");
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  const folds = new Map(); // card key -> folded, as the reader left it
  let shown = null; // {turn, n}: the citation in the panel
  let opener = null; // what had the focus before the panel
  let ticket = 0; // tells the latest article request from earlier ones
  let lastTurn = 0;
  let isReady = false;
  let headLanguage = "";
  let said = {}; // the words of the scripts, in the page's language
  let focused = null; // {element, turn, place}: what had the focus in the chat, for when the server draws it anew

  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const language = () => document.documentElement.lang || "en";
  const panel = () => $("#pc-panel");

  const say = (key, values = {}) => (said[key] || "").replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

  // An element with text; whatever the text holds, it stays text.
  function make(tag, style, text = "") {
    const element = document.createElement(tag);
    element.className = style;
    element.textContent = text;
    if (tag === "button") element.type = "button";
    return element;
  }

  const setText = (element, text) => {
    if (text && element.textContent !== text) element.textContent = text;
  };

  // Chromium has not all languages of the page: what it lacks it would write in English.
  function moment(when) {
    const style = { dateStyle: "medium", timeStyle: "short" };
    if (Intl.DateTimeFormat.supportedLocalesOf([language()]).length) {
      return new Intl.DateTimeFormat(language(), style).format(when);
    }
    const two = (number) => String(number).padStart(2, "0");
    const day = [when.getFullYear(), two(when.getMonth() + 1), two(when.getDate())].join("-");
    return `${day} ${two(when.getHours())}:${two(when.getMinutes())}`;
  }

  // ---- citations --------------------------------------------------------------------------------------------------

  const turnOf = (element) => element.closest("[data-turn]");
  const cardsOf = (turn) => (turn ? $$(".pc-card", turn) : []);
  const keyOf = (card) => `${turnOf(card).dataset.turn}:${card.dataset.n}`;

  function cardFor(element) {
    const card = element.closest(".pc-card");
    return card || $(`.pc-card[data-n="${Number(element.dataset.cite)}"]`, turnOf(element));
  }

  function shownCard() {
    return shown && $(`[data-turn="${shown.turn}"] .pc-card[data-n="${shown.n}"]`);
  }

  function fold(card, folded) {
    const button = $(".pc-fold", card);
    card.classList.toggle("pc-folded", folded);
    button.setAttribute("aria-expanded", String(!folded));
    setText(button, folded ? button.dataset.more : button.dataset.less);
  }

  function restoreFolds() {
    for (const card of $$(".pc-card")) {
      const folded = folds.get(keyOf(card));
      if (folded !== undefined && folded !== card.classList.contains("pc-folded")) fold(card, folded);
    }
  }

  // ---- the reading panel ------------------------------------------------------------------------------------------

  async function open(card, from) {
    if (from) opener = from;
    polycite.hideTip();
    shown = { turn: turnOf(card).dataset.turn, n: card.dataset.n };
    showPanel();
    const mine = ++ticket;
    const body = $(".pc-panel-body", panel());
    const { article, start, end, from: first, to } = card.dataset;
    const path = article.split("/").map(encodeURIComponent).join("/");
    const query = new URLSearchParams({ start, end, from: first, to, ui: language() });
    const html = await fetchText(`page/article/${path}?${query}`);
    if (mine !== ticket) return;
    if (html === null) body.textContent = panel().dataset.failed;
    else body.innerHTML = html;
    goToMark(body);
  }

  async function fetchText(address) {
    try {
      const response = await fetch(address);
      return response.ok ? await response.text() : null;
    } catch {
      return null;
    }
  }

  function goToMark(body) {
    body.scrollTop = 0;
    const target = $("mark", body) || $(".pc-shade", body);
    if (!target) return;
    const down = target.getBoundingClientRect().top - body.getBoundingClientRect().top;
    body.scrollTop = Math.max(0, down - body.clientHeight * 0.3);
  }

  function showPanel() {
    const wasHidden = panel().hidden;
    panel().hidden = false;
    document.body.classList.add("pc-reading");
    coverPage(narrow.matches);
    const cards = cardsOf(turnOf(shownCard()));
    const place = cards.indexOf(shownCard());
    const said = panel().dataset.position.replace("{n}", place + 1).replace("{total}", cards.length);
    setText($(".pc-position", panel()), said);
    $(".pc-previous", panel()).disabled = place <= 0;
    $(".pc-next", panel()).disabled = place >= cards.length - 1;
    markActive();
    if (wasHidden || !panel().contains(document.activeElement) || document.activeElement.disabled) {
      $(".pc-panel-body", panel()).focus({ preventScroll: true });
    }
  }

  // On a narrow screen the panel lies over everything else, which then must not be reachable.
  function coverPage(covers) {
    for (const id of ["pc-header-part", "pc-chat-part", "pc-composer"]) {
      const part = document.getElementById(id);
      if (part) part.inert = covers;
    }
    if (covers) {
      panel().setAttribute("role", "dialog");
      panel().setAttribute("aria-modal", "true");
    } else {
      panel().removeAttribute("role");
      panel().removeAttribute("aria-modal");
    }
  }

  function close() {
    if (!shown) return;
    const card = shownCard();
    shown = null;
    ticket += 1;
    panel().hidden = true;
    document.body.classList.remove("pc-reading");
    coverPage(false);
    $(".pc-panel-body", panel()).textContent = "";
    markActive();
    const target = opener && opener.isConnected ? opener : card && $(".pc-open", card);
    if (target) target.focus({ preventScroll: true });
    opener = null;
  }

  function step(by) {
    const cards = cardsOf(turnOf(shownCard()));
    const next = cards[cards.indexOf(shownCard()) + by];
    if (!next) return;
    open(next, null);
    next.scrollIntoView({ block: "nearest", behavior: still.matches ? "auto" : "smooth" });
  }

  function markActive() {
    const active = shownCard();
    const marked = active ? [active, ...$$(`.pc-chip[data-cite="${active.dataset.n}"]`, turnOf(active))] : [];
    for (const element of $$(".pc-active")) {
      if (!marked.includes(element)) element.classList.remove("pc-active");
    }
    // Even an addition that changes nothing counts as a change to whoever watches, this script included.
    for (const element of marked) {
      if (!element.classList.contains("pc-active")) element.classList.add("pc-active");
    }
  }

  // ---- what the reader does ---------------------------------------------------------------------------------------

  function onClick(event) {
    const target = event.target;
    const button = target.closest("button");
    if (button && panel() && panel().contains(button)) return onPanelButton(button);
    if (button && button.matches(".pc-chip, .pc-open")) return void open(cardFor(button), button);
    if (button && button.matches(".pc-fold")) return onFold(cardFor(button));
    const card = target.closest(".pc-card");
    if (card && !button && !String(window.getSelection())) open(card, $(".pc-open", card));
  }

  function onPanelButton(button) {
    if (button.matches(".pc-help")) showKeys();
    if (button.matches(".pc-close")) close();
    if (button.matches(".pc-previous")) step(-1);
    if (button.matches(".pc-next")) step(1);
  }

  function onFold(card) {
    const folded = !card.classList.contains("pc-folded");
    folds.set(keyOf(card), folded);
    fold(card, folded);
  }

  function onKey(event) {
    // An Enter that ends the composing of a word (Chinese, Japanese, Korean) is no Send.
    if (event.key === "Enter" && (event.isComposing || event.keyCode === 229)) return event.stopImmediatePropagation();
    if (event.key === "Escape") return onEscape(event);
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog")) return;
    if (onKeyOfCitations(event)) event.preventDefault();
  }

  // While an article is open, and wherever a citation has the focus. Elsewhere letters are no keys: whoever dictates
  // or reads by ear does not want them to be.
  function onKeyOfCitations({ key, code, target }) {
    const way = onward(letterOf(key, code));
    if (shown && (panel().contains(target) || target === document.body)) {
      if (way) step(way);
      else if (key === "?") showKeys();
      return Boolean(way) || key === "?";
    }
    const at = way && target.closest(".pc-card, .pc-chip");
    if (!at) return false;
    const cards = cardsOf(turnOf(at));
    const next = cards[cards.indexOf(cardFor(at)) + way];
    if (next) open(next, $(".pc-open", next));
    return true;
  }

  // On a Cyrillic, Greek or Arabic keyboard the key that bears the Latin letter counts.
  function letterOf(key, code) {
    if (key.length > 1) return key;
    return (/[\x20-\x7e]/.test(key) ? key : code.replace("Key", "")).toLowerCase();
  }

  function onward(key) {
    const rtl = document.documentElement.dir === "rtl";
    if (key === "j" || key === (rtl ? "ArrowLeft" : "ArrowRight")) return 1;
    return key === "k" || key === (rtl ? "ArrowRight" : "ArrowLeft") ? -1 : 0;
  }

  function showKeys() {
    const keys = $("#pc-keys");
    keys.hidden = !keys.hidden;
    $(".pc-help", panel()).setAttribute("aria-expanded", String(!keys.hidden));
  }

  function onEscape(event) {
    if (event.isComposing || event.target.closest("dialog, .pc-edit-form")) return;
    if (!polycite.hideTip()) close();
  }

  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey, true);
  narrow.addEventListener("change", () => { if (shown) coverPage(narrow.matches); });

  // ---- the parts that the server fills ------------------------------------------------------------------------------

  function mountHeader(element, trigger) {
    element.addEventListener("click", (event) => { if (event.target.closest(".pc-new")) trigger("click"); });
    element.addEventListener("change", (event) => {
      if (!event.target.matches(".pc-language")) return;
      const chosen = event.target.value;
      document.cookie = `${COOKIE}=${chosen}; path=/; max-age=31536000; samesite=lax`;
      trigger("select", { index: 0, value: chosen });
    });
  }

  function mountChat(element, trigger) {
    element.addEventListener("click", (event) => {
      const example = event.target.closest(".pc-example");
      if (example) polycite.ask(example.dataset.question);
      const rating = event.target.closest(".pc-thumb, .pc-keep-question");
      if (rating) rate(rating, trigger);
    });
    polycite.ask = (question) => trigger("select", { index: 0, value: question });
    polycite.askAlone = (question) => trigger("option_select", { index: 0, value: question });
  }

  // A thumb, or the making of a test question: the answer of the server redraws the chat.
  function rate(button, trigger) {
    const index = Number(turnOf(button).dataset.turn);
    if (button.dataset.judged) return void trigger("like", { index, value: button.dataset.judged, liked: true });
    const choice = $(".pc-choice", button.parentElement);
    trigger("submit", { index, value: Number(choice ? choice.value : button.dataset.right) });
  }

  function onHeader(element) {
    const head = $(".pc-header", element);
    if (!head) return;
    // The server has set the language of the document; the first head, the same for all, is not in it yet.
    if (headLanguage && headLanguage !== head.lang) {
      document.documentElement.lang = head.lang;
      document.documentElement.dir = head.dir;
    }
    headLanguage = head.lang;
    said = JSON.parse(head.dataset.words);
    labelField();
    const select = $(".pc-language", head);
    if (select.value !== head.lang) select.value = head.lang;
  }

  function labelField() {
    const field = $("#pc-question textarea");
    if (!field) return;
    if (field.placeholder !== say("ask_placeholder")) field.placeholder = say("ask_placeholder");
    if (field.ariaLabel !== say("ask_label")) field.ariaLabel = say("ask_label");
    field.dir = "auto";
  }

  function onChat(element) {
    restoreFolds();
    const turns = $$("[data-turn]", element);
    const newest = turns.length ? Number(turns[turns.length - 1].dataset.turn) : 0;
    if (newest > lastTurn) onNewTurn(turns[turns.length - 1]);
    lastTurn = Math.max(lastTurn, newest);
    if (shown && !shownCard()) close();
    else markActive();
    for (const each of polycite.afterChat) each(element, turns);
    restoreFocus();
  }

  const focusable = (turn) => $$("a, button, select, textarea", turn);

  function rememberFocus({ target }) {
    const turn = target.closest && turnOf(target);
    focused = turn ? { element: target, turn: turn.dataset.turn, place: focusable(turn).indexOf(target) } : null;
  }

  // Whoever clicks beside everything has let go; whose element was drawn anew has not.
  function forgetFocus({ target }) {
    setTimeout(() => { if (target.isConnected && document.activeElement === document.body) focused = null; });
  }

  function restoreFocus() {
    if (!focused || focused.element.isConnected || document.activeElement !== document.body) return;
    const turn = $(`[data-turn="${focused.turn}"]`);
    const there = turn ? focusable(turn) : [];
    if (there.length) there[Math.min(focused.place, there.length - 1)].focus({ preventScroll: true });
  }

  function onNewTurn(turn) {
    const field = $("#pc-question textarea");
    if (field && field.value.trim() === $(".pc-question > [dir]", turn).textContent.trim()) {
      field.value = "";
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    if (narrow.matches && document.activeElement) document.activeElement.blur(); // lets the phone's keyboard go
    turn.scrollIntoView({ block: "start", behavior: still.matches ? "auto" : "smooth" });
  }

  // A change of language empties the panel: what was being read is fetched again.
  function onPanel() {
    if (shown && panel().hidden && shownCard()) open(shownCard(), null);
  }

  document.addEventListener("focusin", rememberFocus);
  document.addEventListener("focusout", forgetFocus);

  const mounts = { header: mountHeader, chat: mountChat, panel: () => {} };
  const changes = { header: onHeader, chat: onChat, panel: onPanel };

  function mount(name, element, trigger) {
    mounts[name](element, trigger);
    const changed = () => {
      changes[name](element);
      ready();
    };
    new MutationObserver(changed).observe(element, { childList: true, subtree: true, characterData: true, attributes: true });
    changed();
  }

  // Once the page is in the reader's language: the question field gets its words and, where no keyboard jumps up, focus.
  function ready() {
    if (isReady || !$(".pc-chat[data-opened]") || !$("#pc-question textarea")) return;
    isReady = true;
    labelField();
    if (!narrow.matches && document.activeElement === document.body) {
      $("#pc-question textarea").focus({ preventScroll: true });
    }
  }

  const polycite = {
    mount, mounts, changes, moment, open, close, fetchText, language, say, make, $, $$, turnOf, cardFor, keyOf, shownCard,
    afterChat: [], // what else is to be done whenever the chat was drawn: called with it and its turns
    hideTip: () => false, // whether there was one
  };
  window.polycite = polycite;
})();
