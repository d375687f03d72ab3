// Conversations are kept in the browser: whoever logs in after somebody else must not find that one's.
"use strict";
localStorage.clear();
sessionStorage.clear();
const forget = all => Promise.all(all.map(one => indexedDB.deleteDatabase(one.name)));
const gone = indexedDB.databases ? indexedDB.databases().then(forget) : Promise.resolve();
gone.finally(() => location.replace(document.querySelector("a").href));
