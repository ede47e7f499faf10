// A conversation: its lines as they come, and what the agent does with it.
//
// What the agent writes leaves line by line, so that nothing overtakes what must be sent again.

import { newClientId } from "../pending.js";
import { say } from "../texts.js";
import { Composer } from "./composer.js";
import { announce } from "./console.js";
import { Editing } from "./editing.js";
import { live } from "./live.js";
import { fromHtml, renew, repeating } from "./parts.js";

const NEAR_END = 80; // pixels from the end in which the log follows what comes
const root = document.getElementById("talk");
const log = document.getElementById("log");
const lines = document.getElementById("lines");
const problem = document.getElementById("trouble");
const conversation = Number(root.dataset.conversation);

let lastSeq = Number(root.dataset.seq);
let state = root.dataset.state; // of the hand-over, as last told
let atEnd = true; // whether the log follows what comes
let isReady = false; // whether it is known that the connection is still of whose page this is
let inFlight = ""; // key of the frame whose answer is awaited
let againTimer = 0;
let leavingBy = null; // the form with which the page is left
const unsent = new Map(); // frames by key, in order, until they are acknowledged

const composer = new Composer({ onSend: send, onFiles: sendFiles });
const editing = new Editing(lines, {
  onSave: sendEdit,
  onCancel: forgetEdits,
  onDone: (button) => (button ?? log).focus(),
});
const renewParts = repeating(async () => {
  const lost = [];
  await renew(["title", "actions", "composer-place", "card"], { onLost: (words) => lost.push(words) });
  composer.attach();
  for (const words of lost) composer.giveBack(words, true);
});

function scrollToEnd() {
  atEnd = true;
  log.scrollTop = log.scrollHeight;
}

log.addEventListener("scroll", () => (atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END));
// A photo that has come makes its line longer.
lines.addEventListener("load", () => atEnd && scrollToEnd(), true);

function onLine(frame) {
  const fresh = fromHtml(frame.html);
  const known = lines.querySelector(`[data-seq="${frame.seq}"]`);
  // It says what stood there before: nobody wants to hear that again.
  const isOld = known ? wordsOf(known) === wordsOf(fresh) : isOwnPending(frame.seq, fresh);
  if (isOld) fresh.setAttribute("aria-live", "off");
  if (known) replaceLine(known, fresh);
  else lines.insertBefore(fresh, lines.querySelector(":scope > .pending"));
  lastSeq = Math.max(lastSeq, frame.seq);
  document.getElementById("no-lines")?.remove();
  lines.querySelector(`[data-arrives="${frame.seq}"]`)?.remove();
  if (atEnd) scrollToEnd();
}

function replaceLine(known, fresh) {
  editing.keep(known, fresh);
  const place = controlsOf(known).indexOf(document.activeElement);
  known.replaceWith(fresh);
  controlsOf(fresh)[place]?.focus({ preventScroll: true });
}

const wordsOf = (line) => line.querySelector(".words")?.textContent ?? "";
const controlsOf = (line) => [...line.querySelectorAll("a, button")].filter((one) => !one.closest(".edit-form"));

// The acknowledgement of a line may come after the line itself.
function isOwnPending(seq, fresh) {
  if (lines.querySelector(`[data-arrives="${seq}"]`)) return true;
  const pending = [...lines.querySelectorAll(":scope > .pending")];
  return fresh.matches(".staff") && pending.some((line) => wordsOf(line) === wordsOf(fresh));
}

function send(text, isWhisper) {
  const key = newClientId();
  const place = isWhisper ? { type: "whisper", conversation } : { type: "reply", handoff: composer.handoff };
  unsent.set(key, { ...place, key, text });
  drawPending(key, text, isWhisper);
  sendNext();
}

function sendEdit(message, text) {
  const key = newClientId();
  unsent.set(key, { type: "edit", key, message, text });
  sendNext();
}

function forgetEdits(message) {
  for (const [key, frame] of unsent) if (frame.type === "edit" && frame.message === message) unsent.delete(key);
}

function sendNext() {
  const [next] = unsent.values();
  if (isReady && !inFlight && next && live.send(next)) inFlight = next.key;
}

// The answer has come: the next may leave.
function settle(key) {
  const frame = unsent.get(key);
  unsent.delete(key);
  if (key === inFlight) inFlight = "";
  sendNext();
  return frame;
}

function sendAgain() {
  inFlight = "";
  sendNext();
}

function drawPending(key, text, isWhisper) {
  const line = document.getElementById("pending-line").content.firstElementChild.cloneNode(true);
  line.dataset.key = key;
  line.classList.toggle("whisper", isWhisper);
  line.querySelector(".words").textContent = text;
  lines.append(line);
  scrollToEnd();
}

function onAck(frame) {
  const sent = settle(frame.key);
  if (!sent) return;
  if (sent.type === "edit") return editing.taken(sent.message, sent.text);
  const line = lines.querySelector(`[data-key="${frame.key}"]`);
  if (lines.querySelector(`[data-seq="${frame.seq}"]`)) line?.remove();
  else line?.setAttribute("data-arrives", frame.seq);
}

function onError(frame) {
  // What cannot be read has no key; it is what was sent last.
  const key = frame.key ?? (frame.code === "malformed" ? inFlight : "");
  if (key && frame.retry_after) {
    clearTimeout(againTimer);
    againTimer = setTimeout(sendAgain, frame.retry_after * 1000);
    return;
  }
  // Who may look has changed since the page came: it asks why.
  if (frame.code === "reason_missing") return location.reload();
  showProblem(frame.text);
  const refused = settle(key);
  if (!refused) return;
  if (refused.type === "edit") return editing.refused(refused.message);
  lines.querySelector(`[data-key="${key}"]`)?.remove();
  composer.giveBack(refused.text, refused.type === "whisper"); // the words are not lost
  renewParts();
}

async function sendFiles(form) {
  const body = new FormData(form); // before its fields are held
  composer.isBusy = true;
  try {
    const response = await fetch(form.action, { method: "POST", body });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    // Only a page that says so has taken them: the log-in page is an answer as well.
    if (response.ok && page.querySelector("main > .done")) composer.clear();
    else showProblem(troubleOn(page));
  } catch {
    showProblem(say("upload-failed"));
  } finally {
    composer.isBusy = false;
  }
}

function troubleOn(page) {
  if (page.querySelector('form[action="/console/login"]')) return say("refused");
  return page.querySelector("main > .problem")?.textContent || say("upload-failed");
}

function showProblem(text) {
  problem.textContent = text;
  problem.hidden = !text;
}

// Pages of earlier lines follow no conversation: what they are told is about none.
function onDesk(frame) {
  if (frame.conversation !== conversation) return;
  if (frame.state !== state) {
    renewParts();
    announce(say("state-changed"));
  }
  state = frame.state;
}

function onReady(frame) {
  // Somebody else has logged in meanwhile: what the one before wrote is not sent in their name.
  if (frame.staff !== Number(document.body.dataset.staff)) {
    unsent.clear();
    location.reload();
    return;
  }
  showProblem("");
  isReady = true;
  clearTimeout(againTimer);
  sendAgain();
}

live.on("line", onLine);
live.on("ack", onAck);
live.on("error", onError);
live.on("desk", onDesk);
live.on("ready", onReady);
live.onState((name) => (isReady &&= name === "open"));
document.addEventListener("submit", (event) => (leavingBy = event.defaultPrevented ? null : event.target));
addEventListener("beforeunload", (event) => {
  const isWritten = (field) => field.form !== leavingBy && field.value !== field.defaultValue && field.value.trim();
  if (unsent.size || [...root.querySelectorAll("textarea")].some(isWritten)) event.preventDefault();
  leavingBy = null; // who stays may leave in another way
});
if (root.dataset.newest === "yes") live.follow(() => ({ conversation, last_seq: lastSeq }));
scrollToEnd();
addEventListener("load", scrollToEnd);
// Whoever has the conversation writes; who was quicker than this page keeps the focus where they put it.
if (composer.handoff && document.activeElement === document.body) composer.focus();
