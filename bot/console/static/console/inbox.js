// The inbox: its rows are drawn anew whenever something changed on the desk.

import { live } from "./live.js";
import { renew } from "./parts.js";

const PAUSE = 700; // milliseconds between two refreshes
const search = document.getElementById("search");
let version = null;
let isBusy = false;
let isDue = false;

async function refresh() {
  isDue = true;
  if (isBusy) return;
  isBusy = true;
  while (isDue) {
    isDue = false;
    await renew(["rows", "tabs"], ask).catch(() => {});
    await new Promise((done) => setTimeout(done, PAUSE));
  }
  isBusy = false;
}

// What was searched for stands in the form, not in the address.
function ask() {
  if (!search?.elements.query.defaultValue) return fetch(location.href);
  const fields = new FormData(search);
  for (const name of ["query", "reason"]) {
    if (search.elements[name]) fields.set(name, search.elements[name].defaultValue);
  }
  return fetch(search.action, { method: "POST", body: new URLSearchParams(fields) });
}

live.on("desk", (frame) => {
  if (version !== null && frame.version !== version) refresh();
  version = frame.version;
});
// After a break nobody knows what was missed.
live.onState((name) => {
  if (name === "waiting") version = -1;
});
