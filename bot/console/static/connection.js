// A WebSocket that comes back by itself, also after a silent death (a sleeping phone, a changed network).

const FIRST_PAUSE = 300;
const LONGEST_PAUSE = 5000;
const PING_AFTER = 15000;
const GIVE_UP_AFTER = 25000;
const REFUSED = [4401, 4403]; // nobody is known here, or may not be: trying again changes nothing

export class Connection {
  #socket = null;
  #pause = FIRST_PAUSE;
  #timer = 0;
  #lastHeard = 0;
  #asked = false; // whether a ping is on its way

  // hello() makes the first frame of each connection; onFrame gets frames, onState "connecting", "open",
  // "waiting" or "refused".
  constructor({ path = "/chat/socket", hello, onFrame, onState }) {
    this.path = path;
    this.hello = hello;
    this.onFrame = onFrame;
    this.onState = onState;
    setInterval(() => this.#watch(), 5000);
    addEventListener("online", () => this.#hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry());
  }

  open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}${this.path}`);
    this.#socket = socket;
    this.#lastHeard = Date.now();
    this.#asked = false;
    socket.onopen = () => this.send(this.hello());
    socket.onmessage = (event) => socket === this.#socket && this.#hear(JSON.parse(event.data));
    socket.onclose = (event) => socket === this.#socket && this.#lost(event.code);
  }

  send(frame) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  reconnect() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#lost();
  }

  #hear(frame) {
    this.#lastHeard = Date.now();
    this.#asked = false;
    if (frame.type === "ready") {
      this.#pause = FIRST_PAUSE;
      this.onState("open");
    }
    if (frame.type !== "pong") this.onFrame(frame);
  }

  #lost(code) {
    clearTimeout(this.#timer);
    this.#socket = null;
    if (REFUSED.includes(code)) return this.onState("refused");
    this.onState("waiting");
    this.#timer = setTimeout(() => this.open(), this.#pause * (0.7 + 0.6 * Math.random()));
    this.#pause = Math.min(LONGEST_PAUSE, this.#pause * 1.7);
  }

  #hurry() {
    if (this.#isGone()) {
      clearTimeout(this.#timer);
      this.open();
    } else {
      this.#watch();
    }
  }

  #isGone() {
    return !this.#socket || this.#socket.readyState >= WebSocket.CLOSING;
  }

  // The timers of a hidden page come once a minute: there silence means nothing before it has asked.
  #watch() {
    if (this.#isGone()) return;
    const silence = Date.now() - this.#lastHeard;
    if (silence > GIVE_UP_AFTER && (this.#asked || !document.hidden)) {
      this.reconnect();
    } else if (silence > PING_AFTER) {
      this.#asked = true;
      this.send({ type: "ping" });
    }
  }
}
