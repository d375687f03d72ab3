// The page's script: the reading panel, citations, copying, and names and dates in the reader's language.
// Everything it shows was escaped by the server; it writes no HTML of its own.
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
  let headLanguage = "";
  let rated = ""; // what is to have the focus once a rating is shown

  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const language = () => document.documentElement.lang || "en";
  const panel = () => $("#pc-panel");

  // ---- names of languages and dates -------------------------------------------------------------------------------

  const quietly = (make, otherwise) => {
    try { return make() || otherwise; } catch { return otherwise; }
  };

  const setText = (element, text) => {
    if (text && element.textContent !== text) element.textContent = text;
  };

  function nameLanguages(root) {
    const names = quietly(() => new Intl.DisplayNames([language()], { type: "language", fallback: "none" }), null);
    for (const element of $$("[data-language]", root)) {
      setText(element, quietly(() => names.of(element.dataset.language), ""));
    }
  }

  function nameDates(root) {
    for (const element of $$("time[datetime]", root)) {
      const [year, month, day] = element.dateTime.split("-").map(Number);
      const style = { year: "numeric", timeZone: "UTC", calendar: "gregory" };
      if (month) style.month = "long";
      if (day) style.day = "numeric";
      const date = new Date(Date.UTC(year, (month || 1) - 1, day || 1));
      setText(element, quietly(() => new Intl.DateTimeFormat(language(), style).format(date), ""));
    }
  }

  function localise(root) {
    nameLanguages(root);
    nameDates(root);
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

  async function copy(button) {
    const card = cardFor(button);
    const quote = card.classList.contains("pc-folded") && $("mark", card) ? $("mark", card) : $(".pc-excerpt", card);
    await writeClipboard(`${quote.textContent.trim()}\n— ${card.dataset.source}`);
    const before = button.textContent;
    button.textContent = button.dataset.copied;
    setTimeout(() => { button.textContent = before; }, 1600);
  }

  async function writeClipboard(text) {
    if (navigator.clipboard && window.isSecureContext) {
      try { return await navigator.clipboard.writeText(text); } catch { /* refused: the old way below */ }
    }
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "pc-hidden";
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }

  // ---- the reading panel ------------------------------------------------------------------------------------------

  async function open(card, from) {
    if (from) opener = from;
    hideTip();
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
    localise(body);
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

  // ---- the quote shown while a citation is pointed at ---------------------------------------------------------------

  const tip = document.createElement("div");
  tip.id = "pc-tip";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;

  function showTip(chip) {
    const card = cardFor(chip);
    const quote = card && ($("mark", card) || $(".pc-excerpt", card));
    if (!quote) return;
    const said = document.createElement("p");
    said.textContent = quote.textContent.trim();
    said.lang = $(".pc-excerpt", card).lang;
    said.dir = "auto";
    const source = document.createElement("p");
    source.className = "pc-facts";
    source.textContent = $(".pc-card-head .pc-facts", card).textContent;
    tip.replaceChildren(said, source);
    tip.hidden = false;
    chip.setAttribute("aria-describedby", tip.id);
    placeTip(chip);
  }

  function placeTip(chip) {
    const at = chip.getBoundingClientRect();
    const box = tip.getBoundingClientRect();
    const left = Math.min(Math.max(8, at.left + at.width / 2 - box.width / 2), window.innerWidth - box.width - 8);
    const above = at.top - box.height - 8;
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${above >= 8 ? above : at.bottom + 8}px`;
  }

  function hideTip() {
    if (tip.hidden) return;
    tip.hidden = true;
    for (const chip of $$('[aria-describedby="pc-tip"]')) chip.removeAttribute("aria-describedby");
  }

  // ---- what the reader does ---------------------------------------------------------------------------------------

  function onClick(event) {
    const target = event.target;
    const button = target.closest("button");
    if (button && panel() && panel().contains(button)) return onPanelButton(button);
    if (button && button.matches(".pc-chip, .pc-open")) return void open(cardFor(button), button);
    if (button && button.matches(".pc-copy")) return void copy(button);
    if (button && button.matches(".pc-fold")) return onFold(cardFor(button));
    const card = target.closest(".pc-card");
    if (card && !button && !String(window.getSelection())) open(card, $(".pc-open", card));
  }

  function onPanelButton(button) {
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
    const inPanel = shown && panel().contains(event.target);
    if (!inPanel || event.ctrlKey || event.metaKey || event.altKey) return;
    const forward = document.documentElement.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
    const back = document.documentElement.dir === "rtl" ? "ArrowRight" : "ArrowLeft";
    if (event.key === "j" || event.key === forward) step(1);
    else if (event.key === "k" || event.key === back) step(-1);
    else return;
    event.preventDefault();
  }

  function onEscape(event) {
    if (event.isComposing) return;
    if (!tip.hidden) hideTip();
    else close();
  }

  const onChip = (act) => (event) => {
    const chip = event.target.closest && event.target.closest(".pc-chip");
    if (chip) act(chip);
  };

  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey, true);
  document.addEventListener("pointerover", onChip((chip) => showTip(chip)));
  document.addEventListener("pointerout", onChip(() => hideTip()));
  document.addEventListener("focusin", onChip((chip) => { if (chip.matches(":focus-visible")) showTip(chip); }));
  document.addEventListener("focusout", onChip(() => hideTip()));
  document.addEventListener("scroll", hideTip, { capture: true, passive: true });
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
      if (example) trigger("select", { index: 0, value: example.dataset.question });
      const rating = event.target.closest(".pc-thumb, .pc-keep-question");
      if (rating) rate(rating, trigger);
    });
    polycite.askAlone = (question) => trigger("option_select", { index: 0, value: question });
  }

  // A thumb, or the making of a test question: the answer of the server redraws the chat.
  function rate(button, trigger) {
    const turn = turnOf(button).dataset.turn;
    const index = Number(turn);
    rated = `[data-turn="${turn}"] .pc-rate :is(${button.dataset.judged ? `.pc-thumb-${button.dataset.judged}` : "a"})`;
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
    labelField(head.dataset);
    const select = $(".pc-language", head);
    if (select.value !== head.lang) select.value = head.lang;
  }

  function labelField({ label, placeholder }) {
    const field = $("#pc-question textarea");
    if (!field) return;
    if (field.placeholder !== placeholder) field.placeholder = placeholder;
    if (field.ariaLabel !== label) field.ariaLabel = label;
    field.dir = "auto";
  }

  function onChat(element) {
    restoreFolds();
    if (rated && $(rated) && document.activeElement === document.body) {
      $(rated).focus({ preventScroll: true });
      rated = "";
    }
    const turns = $$("[data-turn]", element);
    const newest = turns.length ? Number(turns[turns.length - 1].dataset.turn) : 0;
    if (newest > lastTurn) onNewTurn(turns[turns.length - 1]);
    lastTurn = Math.max(lastTurn, newest);
    if (shown && !shownCard()) close();
    else markActive();
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

  const mounts = { header: mountHeader, chat: mountChat, panel: () => {} };
  const changes = { header: onHeader, chat: onChat, panel: onPanel };

  function mount(name, element, trigger) {
    mounts[name](element, trigger);
    const changed = () => {
      changes[name](element);
      localise(element);
      if (name === "header") localise(document); // the language may have changed under all other parts
    };
    new MutationObserver(changed).observe(element, { childList: true, subtree: true, characterData: true, attributes: true });
    changed();
    if (name === "panel") ready();
  }

  function ready() {
    document.body.append(tip);
    const field = $("#pc-question textarea");
    if ($(".pc-header")) labelField($(".pc-header").dataset);
    if (field && !narrow.matches) field.focus({ preventScroll: true });
  }

  const polycite = { mount, mounts, changes, localise, close, fetchText, language };
  window.polycite = polycite;
})();
