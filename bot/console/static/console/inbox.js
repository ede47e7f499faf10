// The inbox: its rows are drawn anew whenever something changed on the desk.

import { live } from "./live.js";
import { renew, repeating } from "./parts.js";

const PAUSE = 700; // milliseconds between two refreshes
const search = document.getElementById("search");
const refresh = repeating(() => renew(["rows", "tabs"], { request: ask }), PAUSE);
let version = Number(search.dataset.version); // of the desk, when the page was drawn

// What was searched for stands in the form, not in the address; which tab is shown, the server may have chosen.
function ask() {
  if (!search.elements.query.defaultValue) {
    const address = new URL(location.href);
    address.searchParams.set("tab", search.elements.tab.value);
    return fetch(address);
  }
  const fields = new FormData(search);
  for (const name of ["query", "reason"]) {
    if (search.elements[name]) fields.set(name, search.elements[name].defaultValue);
  }
  return fetch(search.action, { method: "POST", body: new URLSearchParams(fields) });
}

live.on("desk", (frame) => {
  if (frame.version !== version) refresh();
  version = frame.version;
});
// After a break nobody knows what was missed.
live.onState((name) => {
  if (name === "waiting") version = -1;
});
