// Reading: the quote of a citation that is pointed at, and copying that takes the source along.
(() => {
  "use strict";

  const polycite = window.polycite;
  const { $, $$, cardFor, make } = polycite;
  const LINGER = 200; // milliseconds in which the pointer may move from a citation onto its quote
  const HOLD = 450; // milliseconds after which a finger that rests on a citation asks for its quote
  const PHRASE = 25; // characters; who copies less, copies words and not a quotation
  let timer = 0;
  let held = false; // whether the finger that is being lifted has asked for the quote, and not for the article

  // ---- the quote ----------------------------------------------------------------------------------------------------

  const tip = make("div", "");
  tip.id = "pc-tip";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;
  document.addEventListener("DOMContentLoaded", () => document.body.append(tip));

  function showTip(chip) {
    const card = cardFor(chip);
    const quote = card && ($("mark", card) || $(".pc-excerpt", card));
    if (!quote) return;
    hideTip();
    const said = make("p", "pc-tip-quote", quote.textContent.trim());
    said.lang = $(".pc-excerpt", card).lang;
    said.dir = "auto";
    const title = make("p", "pc-tip-title", $(".pc-title", card).textContent);
    title.lang = said.lang;
    title.dir = "auto";
    tip.replaceChildren(said, title, make("p", "pc-facts", $(".pc-card-head .pc-facts", card).textContent));
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
    window.clearTimeout(timer);
    if (tip.hidden) return false;
    tip.hidden = true;
    for (const chip of $$('[aria-describedby="pc-tip"]')) chip.removeAttribute("aria-describedby");
    return true;
  }

  polycite.hideTip = hideTip;

  const later = (act, delay) => {
    window.clearTimeout(timer);
    timer = window.setTimeout(act, delay);
  };
  const chipOf = (event) => event.target.closest && event.target.closest(".pc-chip");
  const onChip = (act) => (event) => {
    const chip = chipOf(event);
    if (chip) act(chip, event);
  };

  document.addEventListener("pointerover", onChip((chip, event) => { if (event.pointerType !== "touch") showTip(chip); }));
  document.addEventListener("pointerout", onChip((chip, event) => { if (event.pointerType !== "touch") later(hideTip, LINGER); }));
  tip.addEventListener("pointerenter", () => window.clearTimeout(timer));
  tip.addEventListener("pointerleave", () => later(hideTip, LINGER));
  document.addEventListener("focusin", onChip((chip) => { if (chip.matches(":focus-visible")) showTip(chip); }));
  document.addEventListener("focusout", onChip(hideTip));
  document.addEventListener("scroll", hideTip, { capture: true, passive: true });

  // A finger cannot hover: held on a citation it shows the quote; a tap opens the article, as a click does.
  document.addEventListener("pointerdown", (event) => {
    held = false;
    if (!tip.contains(event.target)) hideTip();
    const chip = event.pointerType === "touch" && chipOf(event);
    if (chip) later(() => { held = true; showTip(chip); }, HOLD);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    document.addEventListener(name, (event) => { if (event.pointerType === "touch" && !held) window.clearTimeout(timer); });
  }
  document.addEventListener("contextmenu", onChip((chip, event) => { if (event.pointerType === "touch") event.preventDefault(); }));
  document.addEventListener("click", (event) => {
    if (!held || !chipOf(event)) return;
    held = false;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);

  // ---- copying ------------------------------------------------------------------------------------------------------

  async function copyCard(button) {
    const card = cardFor(button);
    const quote = card.classList.contains("pc-folded") && $("mark", card) ? $("mark", card) : $(".pc-excerpt", card);
    await writeClipboard(withSource(quote.textContent.trim(), card));
    const before = button.textContent;
    button.textContent = button.dataset.copied;
    setTimeout(() => { button.textContent = before; }, 1600);
  }

  const withSource = (text, card) => `${text}\n— ${card.dataset.source}`;

  async function writeClipboard(text) {
    if (navigator.clipboard && window.isSecureContext) {
      try { return await navigator.clipboard.writeText(text); } catch { /* refused: the old way below */ }
    }
    const area = make("textarea", "pc-hidden");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }

  polycite.writeClipboard = writeClipboard;

  // Which citation the selected words belong to, where they all belong to one.
  function cardOfSelection(selection) {
    const node = selection.rangeCount ? selection.getRangeAt(0).commonAncestorContainer : null;
    const element = node && (node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement);
    if (!element) return null;
    if (element.closest(".pc-article-text")) return polycite.shownCard();
    const quote = element.closest(".pc-quote");
    return quote ? $(".pc-chip", quote) && cardFor($(".pc-chip", quote)) : element.closest(".pc-excerpt") && cardFor(element);
  }

  function onCopy(event) {
    if (event.target.closest && event.target.closest("input, textarea")) return;
    const selection = window.getSelection();
    const text = String(selection).trim();
    const card = text.length >= PHRASE && cardOfSelection(selection);
    if (!card) return;
    event.clipboardData.setData("text/plain", withSource(text, card));
    event.preventDefault();
  }

  document.addEventListener("copy", onCopy);
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".pc-copy");
    if (button) copyCard(button);
  });
})();
