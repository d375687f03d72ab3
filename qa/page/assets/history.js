// The chats that this browser keeps: as JSON, in its own storage. The server draws them anew when one is opened.
(() => {
  "use strict";

  const polycite = window.polycite;
  const { $, $$, make, say } = polycite;
  const CHAT = "polycite.chat.";
  const KEEP = "polycite.keep";
  const CURRENT = "polycite.current"; // in the storage of the tab: the chat that it shows when it is loaded again
  const PENDING = "polycite.pending"; // and the question that is then to be asked
  const MOST = 100; // chats
  const drawer = () => $("#pc-drawer");
  let current = ""; // the chat of this tab, as JSON
  let removed = []; // [key, value]: what Undo brings back
  let full = false; // whether older chats had to go
  let looked = false; // whether a chat to go on with has been looked for
  let restore = () => {};
  let begin = () => {}; // a new chat

  // Storage may be forbidden, full, or changed by other hands: then there is a chat less, and never a fault.
  function attempt(act, otherwise) {
    try { return act(); } catch { return otherwise; }
  }

  const keeping = () => attempt(() => localStorage.getItem(KEEP) !== "no", false);

  function keptKeys() {
    return attempt(() => Object.keys(localStorage).filter((key) => key.startsWith(CHAT)), []);
  }

  function keptChats() {
    const found = keptKeys().map((key) => attempt(() => ({ key, ...JSON.parse(localStorage.getItem(key)) }), null));
    return found.filter((each) => each && typeof each.title === "string" && each.chat)
      .sort((one, other) => String(other.saved).localeCompare(String(one.saved)));
  }

  // ---- keeping --------------------------------------------------------------------------------------------------------

  function onRecord(element) {
    const data = $("data", element);
    if (!data) return; // nothing was asked yet
    current = data.getAttribute("value");
    const chat = current ? JSON.parse(current) : null;
    attempt(() => (chat ? sessionStorage.setItem(CURRENT, current) : sessionStorage.removeItem(CURRENT)));
    if (chat && chat.turns.length && keeping()) keep(chat);
  }

  function keep(chat) {
    const value = JSON.stringify({ saved: new Date().toISOString(), title: chat.turns[0].question, chat });
    const old = keptChats().map(({ key }) => key).filter((key) => key !== CHAT + chat.id);
    for (const key of old.splice(MOST - 1)) attempt(() => localStorage.removeItem(key));
    while (!attempt(() => { localStorage.setItem(CHAT + chat.id, value); return true; }, false) && old.length) {
      localStorage.removeItem(old.pop());
      full = true;
    }
  }

  // A tab that is loaded again goes on with its chat, unless its address asks a question.
  function goOn(chat, turns) {
    if (!$(".pc-chat[data-opened]", chat)) return looked && startAgain(turns);
    if (looked) return turns.length && askPending();
    looked = true;
    const kept = attempt(() => JSON.parse(sessionStorage.getItem(CURRENT)), null);
    if (kept && !new URLSearchParams(window.location.search).has("q")) restore(kept);
    else askPending();
  }

  // A server that was started anew knows nothing of this tab: it is loaded again, and asks there what was asked last.
  function startAgain(turns) {
    const last = turns[turns.length - 1];
    if (last) attempt(() => sessionStorage.setItem(PENDING, $(".pc-question > [dir]", last).textContent));
    looked = false;
    window.location.reload();
  }

  function askPending() {
    const question = attempt(() => sessionStorage.getItem(PENDING), null);
    if (!question) return;
    sessionStorage.removeItem(PENDING);
    polycite.ask(question);
  }

  // ---- the drawer -----------------------------------------------------------------------------------------------------

  function show() {
    removed = [];
    fill();
    drawer().showModal();
  }

  function fill() {
    const chats = keptChats();
    $(".pc-chats", drawer()).replaceChildren(...chats.map(row));
    $(".pc-no-chats", drawer()).hidden = chats.length > 0;
    $(".pc-delete-all", drawer()).hidden = chats.length === 0;
    $(".pc-deleted", drawer()).hidden = removed.length === 0;
    $(".pc-full", drawer()).hidden = !full;
    $(".pc-keeping input", drawer()).checked = keeping();
    for (const button of $$(".pc-save", drawer())) button.disabled = !current;
  }

  function row({ key, title, saved, chat }) {
    const open = make("button", "pc-chat-open");
    const name = make("span", "pc-chat-title", title);
    name.dir = "auto";
    open.append(name, make("span", "pc-facts", moment(saved)));
    if (current && JSON.parse(current).id === chat.id) open.setAttribute("aria-current", "true");
    open.addEventListener("click", () => { drawer().close(); window.location.hash = "#ask"; restore(chat); });
    const away = make("button", "pc-tool pc-delete");
    away.ariaLabel = say("ch_delete", { title });
    away.title = away.ariaLabel;
    away.addEventListener("click", () => remove([key]));
    const item = make("li", "");
    item.append(open, away);
    return item;
  }

  function moment(saved) {
    const when = new Date(saved);
    if (Number.isNaN(when.getTime())) return "";
    return polycite.moment(when);
  }

  function remove(keys) {
    removed = keys.map((key) => [key, localStorage.getItem(key)]);
    for (const key of keys) localStorage.removeItem(key);
    if (current && keys.includes(CHAT + JSON.parse(current).id)) begin();
    fill();
    $(".pc-undo", drawer()).focus();
  }

  function undo() {
    for (const [key, value] of removed) attempt(() => localStorage.setItem(key, value));
    removed = [];
    fill();
    $(".pc-chat-open", drawer()).focus();
  }

  // ---- saving as a file -----------------------------------------------------------------------------------------------

  async function save(format) {
    const name = `polycite-${new Date().toISOString().slice(0, 10)}`;
    if (format === "json") return download(`${name}.json`, JSON.stringify(JSON.parse(current), null, 2), "application/json");
    const address = `page/chat.md?${new URLSearchParams({ ui: polycite.language() })}`;
    const response = await fetch(address, { method: "POST", body: current });
    if (response.ok) download(`${name}.md`, await response.text(), "text/markdown");
  }

  function download(name, text, type) {
    const anchor = make("a", "");
    anchor.href = URL.createObjectURL(new Blob([text], { type }));
    anchor.download = name;
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(anchor.href), 10_000);
  }

  // ---- into the page --------------------------------------------------------------------------------------------------

  function onClick(event) {
    const button = event.target.closest("button");
    if (event.target === drawer() || (button && button.matches(".pc-close-drawer"))) return drawer().close();
    if (!button) return;
    if (button.matches(".pc-save")) save(button.dataset.format);
    if (button.matches(".pc-undo")) undo();
    if (button.matches(".pc-delete-all")) remove(keptKeys());
  }

  const mountHeader = polycite.mounts.header;
  polycite.mounts.header = (element, trigger) => {
    mountHeader(element, trigger);
    begin = () => trigger("click");
    element.addEventListener("click", (event) => { if (event.target.closest(".pc-show-chats")) show(); });
  };
  polycite.mounts.drawer = (element, trigger) => {
    restore = (chat) => trigger("select", { index: 0, value: chat });
    element.addEventListener("click", onClick);
    element.addEventListener("change", (event) => {
      if (event.target.matches(".pc-keeping input")) attempt(() => localStorage.setItem(KEEP, event.target.checked ? "yes" : "no"));
    });
  };
  polycite.mounts.record = () => {};
  polycite.changes.drawer = () => {};
  polycite.changes.record = onRecord;
  polycite.afterChat.push(goOn);
})();
