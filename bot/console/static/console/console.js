// Every page of the console: who waits, in the navigation and read aloud; choices that send themselves.

import { say } from "../texts.js";
import { live } from "./live.js";

const number = new Intl.NumberFormat("fa-IR");
const news = document.getElementById("news");
const offline = document.getElementById("offline");
const title = document.title;
let waiting = null; // as last told; null before the first time
let offered = 0;
let newsTimer = 0;
let offlineTimer = 0;

for (const form of document.querySelectorAll("[data-sends-itself]")) {
  form.addEventListener("change", () => form.requestSubmit());
}

export function announce(text) {
  clearTimeout(newsTimer);
  news.textContent = text;
  newsTimer = setTimeout(() => (news.textContent = ""), 6000);
}

function onDesk(frame) {
  for (const badge of document.querySelectorAll("[data-count]")) {
    const count = frame[badge.dataset.count];
    badge.textContent = number.format(count);
    badge.hidden = count === 0;
  }
  if (waiting !== null && frame.waiting > waiting) announce(inWords(frame.waiting));
  else if (waiting !== null && frame.offered > offered) announce(say("offered"));
  if (document.hidden && waiting !== null && frame.waiting > waiting) document.title = `● ${title}`;
  ({ waiting, offered } = frame);
}

const inWords = (count) => (count === 1 ? say("one-waits") : `${number.format(count)} ${say("some-wait")}`);

// A short break is nobody's concern.
function onState(name) {
  clearTimeout(offlineTimer);
  document.documentElement.dataset.live = name;
  if (name === "open") offline.hidden = true;
  else if (name === "waiting") offlineTimer = setTimeout(() => (offline.hidden = false), 3000);
  else announce(say("refused"));
}

document.addEventListener("visibilitychange", () => document.hidden || (document.title = title));

if ("live" in document.body.dataset) {
  live.on("desk", onDesk);
  live.on("reload", () => location.reload());
  live.onState(onState);
  live.open();
}
