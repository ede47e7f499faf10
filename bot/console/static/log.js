// The scrolling conversation: lines of the transcript, below them what is still on its way, then the dots.

import { drawDay, drawLine, drawWords, showFate, useChips } from "./lines.js";

const NEAR = 80;
const PATIENCE = 25000;

export class Log {
  #lines = document.getElementById("log");
  #pending = document.getElementById("pending");
  #scroller = document.getElementById("scroller");
  #newest = document.getElementById("newest");
  #typing = document.getElementById("typing");
  #patience = document.getElementById("patience");
  #nodes = new Map(); // lines of the transcript by their numbers
  #pendingNodes = new Map();
  #usedTokens = new Set(); // also of buttons that a later line of the history brings
  #previous = null;
  #timer = 0;
  #stick = true; // whether new lines pull the view along; not while the visitor reads further up
  #lastTop = 0;

  constructor({ timezone, onPress }) {
    this.onPress = onPress;
    this.clock = new Intl.DateTimeFormat("fa-IR", { timeZone: timezone, hour: "2-digit", minute: "2-digit" });
    this.#newest.addEventListener("click", () => this.toEnd("smooth"));
    this.#scroller.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    // A keyboard that opens, a window that turns, a picture that arrives.
    const observer = new ResizeObserver(() => this.#stick && this.toEnd("instant"));
    [this.#scroller, this.#lines, this.#pending].forEach((node) => observer.observe(node));
  }

  add(frame) {
    this.#keepPlace(() => {
      if (frame.pressed) this.#usedTokens.add(frame.pressed);
      const pending = this.#pendingNodes.get(frame.client_id);
      const node = drawLine(frame, this.onPress);
      if (frame.author === "customer") showFate(node, "arrived");
      node.classList.toggle("fresh", !pending && this.#lines.ariaBusy !== "true");
      this.#place(node, frame);
      this.#nodes.set(frame.seq, node);
      this.#useChips();
      this.dropPending(frame.client_id);
      if (frame.author !== "customer") this.#answered();
    }, frame.author !== "customer");
  }

  // A line that is there already has got other words.
  redraw(frame) {
    const node = this.#nodes.get(frame.seq);
    if (node) this.#keepPlace(() => drawWords(node, frame));
  }

  addPending(entry) {
    const node = drawLine(this.#lineOf(entry), this.onPress);
    node.classList.add("fresh");
    this.#pendingNodes.set(entry.client_id, node);
    if (entry.token) this.#usedTokens.add(entry.token);
    this.#useChips();
    this.#pending.append(node);
    this.setFate(entry.client_id, entry.kept ? "kept" : "clock");
    this.toEnd("instant");
  }

  setFate(clientId, fate) {
    const node = this.#pendingNodes.get(clientId);
    if (node) showFate(node, fate);
  }

  dropPending(clientId) {
    this.#pendingNodes.get(clientId)?.remove();
    this.#pendingNodes.delete(clientId);
  }

  clear() {
    this.#lines.replaceChildren();
    this.#nodes.clear();
    this.#previous = null;
  }

  // While history arrives nothing is read out or animated.
  set busy(value) {
    this.#lines.ariaBusy = String(value);
    this.#lines.setAttribute("aria-busy", String(value));
  }

  showTyping() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#loseHope(), PATIENCE);
    this.#patience.hidden = true;
    this.#keepPlace(() => (this.#typing.hidden = false));
  }

  #answered() {
    this.#patience.hidden = true;
    if (this.#pendingNodes.size > 0) return;
    clearTimeout(this.#timer);
    this.#typing.hidden = true;
  }

  #loseHope() {
    this.#keepPlace(() => {
      this.#typing.hidden = true;
      this.#patience.hidden = false;
    });
  }

  #useChips() {
    for (const token of this.#usedTokens) {
      if (useChips(this.#lines, token)) this.#usedTokens.delete(token);
    }
  }

  #place(node, frame) {
    if (this.#previous?.at.day_key !== frame.at.day_key) this.#lines.append(drawDay(frame.at));
    else if (this.#previous.author === frame.author && this.#previous.name === frame.name) node.classList.add("follows");
    this.#lines.append(node);
    this.#previous = frame;
  }

  #lineOf(entry) {
    const at = new Date(entry.at);
    return {
      author: "customer",
      segments: entry.text ? [[entry.text, []]] : [],
      attachments: entry.attachments,
      at: { iso: at.toISOString(), time: this.clock.format(at) },
    };
  }

  #onScroll() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    if (scrollHeight - scrollTop - clientHeight < NEAR) {
      this.#stick = true;
      this.#hideNewest();
    } else if (scrollTop < this.#lastTop) {
      this.#stick = false;
    }
    this.#lastTop = scrollTop;
  }

  toEnd(behavior) {
    this.#stick = true;
    this.#scroller.scrollTo({ top: this.#scroller.scrollHeight, behavior });
    this.#hideNewest();
  }

  #hideNewest() {
    this.#newest.hidden = true;
  }

  #keepPlace(change, isNews = false) {
    const follow = this.#stick;
    change();
    if (follow) this.toEnd("instant");
    else if (isNews) this.#newest.hidden = false;
  }
}
