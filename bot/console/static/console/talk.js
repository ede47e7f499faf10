// A conversation: its lines as they come, and what the agent does with it.

import { newClientId } from "../pending.js";
import { say } from "../texts.js";
import { Composer } from "./composer.js";
import { announce } from "./console.js";
import { Editing } from "./editing.js";
import { live } from "./live.js";
import { fromHtml, renew } from "./parts.js";

const NEAR_END = 80; // pixels from the end in which the log follows what comes
const root = document.getElementById("talk");
const log = document.getElementById("log");
const lines = document.getElementById("lines");
const problem = document.getElementById("trouble");
const conversation = Number(root.dataset.conversation);

let lastSeq = Number(root.dataset.seq);
let state = root.dataset.state; // of the hand-over, as last told
let atEnd = true; // whether the log follows what comes
const unsent = new Map(); // frames by key, in order, until they are acknowledged

const composer = new Composer({ onSend: send, onFiles: sendFiles });
const editing = new Editing(lines, { onSave: sendEdit, onDone: (button) => (button ?? log).focus() });

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
  if (known) editing.keep(known, fresh);
  if (known) known.replaceWith(fresh);
  else lines.insertBefore(fresh, lines.querySelector(":scope > .pending"));
  lastSeq = Math.max(lastSeq, frame.seq);
  document.getElementById("no-lines")?.remove();
  lines.querySelector(`[data-arrives="${frame.seq}"]`)?.remove();
  if (atEnd) scrollToEnd();
}

function send(text, isWhisper) {
  const key = newClientId();
  const place = isWhisper ? { type: "whisper", conversation } : { type: "reply", handoff: composer.handoff };
  unsent.set(key, { ...place, key, text });
  drawPending(key, text, isWhisper);
  live.send(unsent.get(key));
}

function sendEdit(message, text) {
  const key = newClientId();
  unsent.set(key, { type: "edit", key, message, text });
  live.send(unsent.get(key));
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
  const sent = unsent.get(frame.key);
  if (!unsent.delete(frame.key)) return;
  if (sent.type === "edit") return editing.taken(sent.message, sent.text);
  const line = lines.querySelector(`[data-key="${frame.key}"]`);
  if (lines.querySelector(`[data-seq="${frame.seq}"]`)) line?.remove();
  else line?.setAttribute("data-arrives", frame.seq);
}

function onError(frame) {
  const refused = unsent.get(frame.key);
  if (refused && frame.retry_after) {
    setTimeout(() => unsent.has(frame.key) && live.send(refused), frame.retry_after * 1000);
    return;
  }
  // Who may look has changed since the page came: it asks why.
  if (frame.code === "reason_missing") return location.reload();
  showProblem(frame.text);
  if (!refused) return;
  unsent.delete(frame.key);
  if (refused.type === "edit") return editing.refused(refused.message);
  lines.querySelector(`[data-key="${frame.key}"]`)?.remove();
  composer.giveBack(refused.text); // the words are not lost
  renewParts();
}

async function sendFiles(form) {
  composer.isBusy = true;
  try {
    const response = await fetch(form.action, { method: "POST", body: new FormData(form) });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const trouble = page.querySelector("main .problem")?.textContent;
    if (trouble || !response.ok) showProblem(trouble || say("upload-failed"));
    else composer.clear();
  } catch {
    showProblem(say("upload-failed"));
  } finally {
    composer.isBusy = false;
  }
}

function showProblem(text) {
  problem.textContent = text;
  problem.hidden = !text;
}

async function renewParts() {
  await renew(["title", "actions", "composer-place", "card"]).catch(() => {});
  composer.attach();
}

function onDesk(frame) {
  if (frame.state !== state) {
    renewParts();
    announce(say("state-changed"));
  }
  state = frame.state;
}

live.on("line", onLine);
live.on("ack", onAck);
live.on("error", onError);
live.on("desk", onDesk);
live.on("ready", () => {
  showProblem("");
  unsent.forEach((frame) => live.send(frame));
});
if (root.dataset.newest === "yes") live.follow(() => ({ conversation, last_seq: lastSeq }));
scrollToEnd();
addEventListener("load", scrollToEnd);
// Whoever has the conversation writes; who was quicker than this page keeps the focus where they put it.
if (composer.handoff && document.activeElement === document.body) composer.focus();
