// Translating an excerpt in place, where the browser itself can: nothing is sent to this or any other server by the page.
(() => {
  "use strict";

  const polycite = window.polycite;
  const { $, $$, keyOf, make, say } = polycite;
  const pairs = new Map(); // "sq>en" -> the promise of whether the browser can
  const shown = new Map(); // card key -> {target, parts}: what the reader has had translated

  if (!("Translator" in window)) return;

  function can(source, target) {
    const pair = `${source}>${target}`;
    if (!pairs.has(pair)) {
      const asked = Promise.resolve(window.Translator.availability({ sourceLanguage: source, targetLanguage: target }));
      pairs.set(pair, asked.then((said) => said !== "unavailable").catch(() => false));
    }
    return pairs.get(pair);
  }

  async function offer(card) {
    const excerpt = $(".pc-excerpt", card);
    const [source, target] = [excerpt.lang, polycite.language()];
    if (!source || source === "und" || source === target || !(await can(source, target))) return;
    if (!card.isConnected || $(".pc-translate", card)) return;
    const button = make("button", "pc-link pc-translate", say("tr_do"));
    $(".pc-actions", card).insertBefore(button, $(".pc-fold", card));
    const before = shown.get(keyOf(card));
    if (before && before.target === target) show(card, before);
  }

  async function translate(button) {
    const card = button.closest(".pc-card");
    const key = keyOf(card);
    if (shown.delete(key)) return hide(card);
    const excerpt = $(".pc-excerpt", card);
    const target = polycite.language();
    button.setAttribute("aria-busy", "true");
    button.textContent = say("tr_busy");
    try {
      const translator = await window.Translator.create({
        sourceLanguage: excerpt.lang, targetLanguage: target, monitor: (model) => follow(model, button),
      });
      const parts = [];
      for (const node of excerpt.childNodes) parts.push(await translated(translator, node));
      shown.set(key, { target, parts });
      const now = $$(".pc-card").find((each) => keyOf(each) === key); // the chat may have been drawn anew meanwhile
      if (now) show(now, shown.get(key));
    } catch {
      button.textContent = say("tr_do");
      note(card, say("tr_failed")).setAttribute("role", "alert");
    }
    button.removeAttribute("aria-busy");
  }

  // The words before the answering sentence, that sentence, and those after it: each by itself, so that it stays marked.
  async function translated(translator, node) {
    const text = node.textContent.trim();
    return { marked: node.nodeName === "MARK", text: text && (await translator.translate(text)) };
  }

  // A language that the browser does not have yet takes it a while.
  function follow(model, button) {
    model.addEventListener("downloadprogress", (event) => {
      if (event.loaded < 1) button.textContent = `${say("tr_busy")} ${Math.round(100 * event.loaded)} %`;
    });
  }

  function show(card, { target, parts }) {
    hide(card);
    const box = note(card, say("tr_done"));
    const text = make("div", "pc-translated");
    text.lang = target;
    text.dir = "auto";
    for (const part of parts.filter((each) => each.text)) {
      text.append(part.marked ? make("mark", "", part.text) : make("span", "pc-around", part.text), " ");
    }
    box.append(text);
    $(".pc-excerpt", card).hidden = true;
    $(".pc-translate", card).textContent = say("tr_original");
  }

  function note(card, text) {
    $$(".pc-translation", card).forEach((old) => old.remove());
    const box = make("div", "pc-translation");
    box.append(make("p", "pc-translation-note", text));
    $(".pc-excerpt", card).after(box);
    return box;
  }

  function hide(card) {
    $$(".pc-translation", card).forEach((old) => old.remove());
    $(".pc-excerpt", card).hidden = false;
    $(".pc-translate", card).textContent = say("tr_do");
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest(".pc-translate");
    if (button && !button.hasAttribute("aria-busy")) translate(button);
  });
  polycite.afterChat.push((chat) => {
    for (const card of $$(".pc-card", chat)) if (!$(".pc-translate", card)) offer(card);
  });
})();
