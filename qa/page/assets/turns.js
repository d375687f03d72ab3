// What can be done with a question: ask it again, change it, link to it, and go on from its answer.
(() => {
  "use strict";

  const polycite = window.polycite;
  const { $, $$, make, say, turnOf } = polycite;
  const suggested = new Map(); // what was shown -> the promise of what to ask next
  let draft = null; // {turn, text}: a question that is being changed
  let trigger = () => {};

  const questionOf = (turn) => $(".pc-question > [dir]", turn).textContent;

  // ---- changing a question --------------------------------------------------------------------------------------------

  function edit(turn) {
    draft = { turn: turn.dataset.turn, text: questionOf(turn) };
    showForm(turn);
    $("textarea", turn).select();
  }

  function showForm(turn) {
    const form = make("form", "pc-edit-form");
    const field = make("textarea", "pc-edit-field");
    field.value = draft.text;
    field.dir = "auto";
    field.rows = 2;
    field.setAttribute("aria-label", say("edit_question"));
    const send = make("button", "pc-pill pc-strong", say("send"));
    send.type = "submit";
    form.append(field, send, make("button", "pc-pill pc-edit-cancel", say("ev_cancel")));
    $(".pc-asked", turn).classList.add("pc-editing");
    $(".pc-asked", turn).append(form);
    field.focus({ preventScroll: true });
  }

  function endEdit() {
    const turn = draft && $(`[data-turn="${draft.turn}"]`);
    draft = null;
    if (!turn || !$(".pc-edit-form", turn)) return;
    $(".pc-edit-form", turn).remove();
    $(".pc-asked", turn).classList.remove("pc-editing");
    $(".pc-edit", turn).focus({ preventScroll: true });
  }

  function onSubmit(event) {
    event.preventDefault();
    const index = Number(draft.turn);
    const value = $("textarea", event.target).value.trim();
    endEdit();
    if (value) trigger("edit", { index, value });
  }

  function onKey(event) {
    if (!event.target.matches(".pc-edit-field") || event.isComposing || event.keyCode === 229) return;
    if (event.key === "Escape") endEdit();
    else if (event.key === "Enter" && !event.shiftKey) event.target.form.requestSubmit();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // ---- a link to a question -------------------------------------------------------------------------------------------

  const toast = make("p", "");
  toast.id = "pc-toast";
  toast.setAttribute("role", "status");
  document.addEventListener("DOMContentLoaded", () => document.body.append(toast));

  function tell(text) {
    toast.textContent = text;
    setTimeout(() => { if (toast.textContent === text) toast.textContent = ""; }, 2000);
  }

  async function link(turn) {
    const { origin, pathname } = window.location;
    await polycite.writeClipboard(`${origin}${pathname}?${new URLSearchParams({ q: questionOf(turn) })}`);
    tell(say("link_copied"));
  }

  // Once the question of the address is asked, loading the page again must not ask it once more.
  function dropQuestion(turns) {
    if (!turns.length || !new URLSearchParams(window.location.search).has("q")) return;
    window.history.replaceState(null, "", window.location.pathname + window.location.hash);
  }

  // ---- what to ask next -----------------------------------------------------------------------------------------------

  async function suggest(turn) {
    const cards = $$(".pc-card", turn).filter((card) => card.dataset.end !== "0");
    const body = JSON.stringify(cards.map(({ dataset: { article, start, end } }) => [article, Number(start), Number(end)]));
    if (!cards.length) return;
    if (!suggested.has(body)) suggested.set(body, fetchFollowUps(body));
    const found = await suggested.get(body);
    if (!turn.isConnected || turn.nextElementSibling || $(".pc-more", turn) || !found.length) return;
    const list = make("div", "pc-follows");
    for (const { text, language } of found) {
      const button = make("button", "pc-follow", text);
      button.lang = language;
      button.dir = "auto";
      list.append(button);
    }
    const more = make("section", "pc-more");
    more.append(make("h3", "pc-label", say("more_in_articles")), list);
    turn.append(more);
  }

  async function fetchFollowUps(body) {
    try {
      const response = await fetch(`page/follow-ups?${new URLSearchParams({ ui: polycite.language() })}`, { method: "POST", body });
      return response.ok ? (await response.json()).followUps : [];
    } catch {
      return [];
    }
  }

  // ---- into the page --------------------------------------------------------------------------------------------------

  function onClick(event) {
    const button = event.target.closest("button");
    const turn = button && turnOf(button);
    if (!turn) return;
    if (button.matches(".pc-edit")) edit(turn);
    if (button.matches(".pc-edit-cancel")) endEdit();
    if (button.matches(".pc-again")) trigger("retry", { index: Number(turn.dataset.turn), value: "" });
    if (button.matches(".pc-link-to")) link(turn);
    if (button.matches(".pc-follow")) polycite.askAlone(button.textContent);
    if (button.matches(".pc-alone")) polycite.askAlone(questionOf(turn));
  }

  const mountChat = polycite.mounts.chat;
  polycite.mounts.chat = (element, send) => {
    mountChat(element, send);
    trigger = send;
    element.addEventListener("click", onClick);
    element.addEventListener("submit", onSubmit);
    element.addEventListener("keydown", onKey);
    element.addEventListener("input", (event) => { if (draft && event.target.matches(".pc-edit-field")) draft.text = event.target.value; });
  };

  polycite.afterChat.push((chat, turns) => {
    const last = turns[turns.length - 1];
    const editing = draft && $(`[data-turn="${draft.turn}"]`, chat);
    if (editing && !$(".pc-edit-form", editing)) showForm(editing);
    dropQuestion(turns);
    if (last && last.matches(".pc-is-answered") && !$(".pc-more", last)) suggest(last);
  });
})();
