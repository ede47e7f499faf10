// The web chat. The server's transcript is the truth: the page asks for everything after the last line it has,
// and sends again whatever was not acknowledged; the server knows each message by its client_id.

import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { Log } from "./log.js";
import { newClientId, PendingMessages } from "./pending.js";
import { say } from "./texts.js";

const NOTICE_MILLISECONDS = 7000;

const root = document.getElementById("chat");
const welcome = document.getElementById("welcome");
const notice = document.getElementById("notice");
const state = document.getElementById("state");
const title = document.title;

const pending = new PendingMessages();
const log = new Log({ timezone: root.dataset.timezone, onPress: press });
const connection = new Connection({
  hello: () => ({ type: "hello", last_seq: lastSeq }),
  onFrame: (frame) => handlers[frame.type]?.(frame),
  onState: showState,
});
const composer = new Composer({
  maxFiles: Number(root.dataset.maxFiles),
  maxBytes: Number(root.dataset.maxBytes),
  onSend: sendMessage,
  onProblem: showNotice,
});

let lastSeq = 0;
let historyEnd = 0; // up to here lines stood in the transcript when the page connected
let settled = []; // pending entries to drop once the history is here
let inFlight = null; // client_id that was sent on this connection and not acknowledged
let retryTimer = 0;
let noticeTimer = 0;

const handlers = { ready: onReady, message: onMessage, ack: onAck, typing: onTyping, error: onError };

function onReady(frame) {
  if (frame.last_seq < lastSeq) return startOver(); // another store than before
  historyEnd = frame.last_seq;
  log.busy = lastSeq === 0 && historyEnd > 0; // what came during a break is read out
  inFlight = null;
  // Nothing is being worked on: what was kept stands in the transcript, or never will (a button used before).
  settled = frame.waiting ? [] : pending.all().filter((entry) => entry.kept);
  settleAtEndOfHistory();
  showWelcome();
  sendNext();
}

function settleAtEndOfHistory() {
  if (lastSeq < historyEnd) return;
  log.busy = false;
  settled.forEach(drop);
  settled = [];
}

function drop(entry) {
  pending.remove(entry.client_id);
  log.dropPending(entry.client_id);
}

function startOver() {
  lastSeq = 0;
  log.clear();
  connection.reconnect();
}

function onMessage(frame) {
  if (frame.seq <= lastSeq) return log.redraw(frame);
  lastSeq = frame.seq;
  if (frame.author !== "customer" && lastSeq > historyEnd) {
    // Answered without a line of its own: a press that was refused.
    pending.all().filter((entry) => entry.kept && entry.type === "press").forEach(drop);
  }
  log.add(frame);
  pending.remove(frame.client_id);
  settleAtEndOfHistory();
  if (document.hidden && frame.author !== "customer") document.title = `● ${say("news")} | ${title}`;
  showWelcome();
}

function onAck(frame) {
  pending.markKept(frame.client_id);
  log.setFate(frame.client_id, "kept");
  inFlight = null;
  sendNext();
}

function onTyping(frame) {
  const isAnswered = frame.client_id && !pending.all().some((entry) => entry.client_id === frame.client_id);
  if (!isAnswered) log.showTyping();
}

// Only one message is on its way, so an error that names none is about that one.
function onError(frame) {
  showNotice(frame.text);
  const clientId = frame.client_id ?? inFlight;
  if (!clientId || clientId !== inFlight) return;
  inFlight = null;
  if (frame.retry_after) retryTimer = setTimeout(sendNext, frame.retry_after * 1000);
  else giveUp(clientId);
}

// The server will never take this one: hand the words back instead of losing them.
function giveUp(clientId) {
  const entry = pending.all().find((one) => one.client_id === clientId);
  if (!entry) return;
  drop(entry);
  if (entry.type === "message") composer.giveBack(entry.text);
  sendNext();
}

function sendMessage(text, attachments) {
  enqueue({ type: "message", text, attachments });
}

function press(button) {
  enqueue({ type: "press", token: button.token, text: button.title });
  composer.focus();
}

function enqueue(content) {
  const entry = { ...content, client_id: newClientId(), at: Date.now() };
  pending.add(entry);
  log.addPending(entry);
  showWelcome();
  sendNext();
}

function sendNext() {
  clearTimeout(retryTimer);
  const entry = inFlight ? null : pending.nextToSend();
  if (entry && connection.send(asFrame(entry))) inFlight = entry.client_id;
}

function asFrame({ type, client_id, text, token, attachments = [] }) {
  if (type === "press") return { type, client_id, token };
  const references = attachments.map(({ id, mime_type, file_name }) => ({ id, mime_type, file_name }));
  return { type, client_id, text, attachments: references };
}

function showState(name) {
  if (name !== "open") inFlight = null;
  state.dataset.state = name;
  document.getElementById("state-words").textContent = say(name);
}

function showWelcome() {
  welcome.hidden = lastSeq > 0 || historyEnd > 0 || pending.all().length > 0;
}

function showNotice(text) {
  clearTimeout(noticeTimer);
  notice.textContent = text;
  notice.hidden = false;
  noticeTimer = setTimeout(() => (notice.hidden = true), NOTICE_MILLISECONDS);
}

for (const suggestion of welcome.querySelectorAll("[data-say]")) {
  suggestion.addEventListener("click", () => sendMessage(suggestion.dataset.say, []));
}
document.addEventListener("visibilitychange", () => document.hidden || (document.title = title));

pending.all().forEach((entry) => log.addPending(entry));
connection.open();
composer.focus();
