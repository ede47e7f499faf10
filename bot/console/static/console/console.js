// Every page of the console: who waits, in the navigation and read aloud; choices that send themselves.

import { say } from "../texts.js";
import { live } from "./live.js";

const number = new Intl.NumberFormat("fa-IR");
const news = document.getElementById("news");
const offline = document.getElementById("offline");
const offlineText = offline.textContent;
const title = document.title;
const sent = new Set(); // forms that are on their way
let waiting = null; // as last told; null before the first time
let offered = 0;
let newsTimer = 0;
let offlineTimer = 0;

for (const form of document.querySelectorAll("[data-sends-itself]")) {
  form.addEventListener("change", () => sendInPlace(form));
}

// Nobody leaves the page for it, where something may stand that is not sent yet.
async function sendInPlace(form) {
  const page = await answerTo(form).catch(() => null);
  const told = page?.querySelector("main > .done, main > .problem")?.textContent;
  if (!told) return form.requestSubmit();
  announce(told);
  for (const field of form.querySelectorAll("select")) {
    const now = page.getElementById(field.id);
    if (now) [field.className, field.value] = [now.className, now.value];
  }
}

async function answerTo(form) {
  const response = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

// A form goes once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented) return;
  if (sent.has(form)) return event.preventDefault();
  sent.add(form);
  setTimeout(() => sent.delete(form), 5000); // what came was no other page
});
addEventListener("pageshow", () => sent.clear());

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

// A short break is nobody's concern; the end of the session is, until one has logged in again.
function onState(name) {
  document.documentElement.dataset.live = name;
  if (name === "open" || name === "refused") {
    clearTimeout(offlineTimer);
    offlineTimer = 0;
    offline.hidden = name === "open";
  } else {
    offlineTimer ||= setTimeout(() => (offline.hidden = false), 3000);
  }
  const text = name === "refused" ? say("refused") : offlineText;
  if (offline.textContent !== text) offline.textContent = text;
}

document.addEventListener("visibilitychange", () => document.hidden || (document.title = title));

if ("live" in document.body.dataset) {
  live.on("desk", onDesk);
  live.on("reload", () => location.reload());
  live.onState(onState);
  live.open();
}
