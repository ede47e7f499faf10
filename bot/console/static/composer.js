// Where the visitor writes: a growing text field, and a tray of files that are uploaded before they are sent.

import { clone, say, sizeInWords } from "./texts.js";

export class Composer {
  #form = document.getElementById("composer");
  #text = document.getElementById("text");
  #send = document.getElementById("send");
  #tray = document.getElementById("tray");
  #picker = document.getElementById("files");
  #files = [];

  // onSend(text, files) gets what is to be sent, onProblem(text) a sentence for the visitor.
  constructor({ maxFiles, maxBytes, onSend, onProblem }) {
    Object.assign(this, { maxFiles, maxBytes, onSend, onProblem });
    this.#form.addEventListener("submit", (event) => this.#submit(event));
    this.#text.addEventListener("input", () => this.#refresh());
    this.#text.addEventListener("keydown", (event) => this.#onKey(event));
    this.#text.addEventListener("paste", (event) => this.#onPaste(event));
    document.getElementById("attach").addEventListener("click", () => this.#picker.click());
    this.#picker.addEventListener("change", () => this.#onPick());
    this.#refresh();
  }

  // On a phone focus would push the keyboard over the conversation unasked.
  focus() {
    if (matchMedia("(pointer: fine)").matches) this.#text.focus();
  }

  giveBack(text) {
    this.#text.value = [text, this.#text.value].filter(Boolean).join("\n");
    this.#refresh();
  }

  #onKey(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#form.requestSubmit();
  }

  #onPaste(event) {
    const { files, types } = event.clipboardData;
    // Word and Excel put a picture of the text beside it: what was copied is the text.
    const isText = types.includes("text/plain") && types.includes("text/html");
    if (files.length === 0 || isText) return;
    event.preventDefault();
    this.#take([...files]);
  }

  #onPick() {
    this.#take([...this.#picker.files]);
    this.#picker.value = "";
    this.focus();
  }

  #submit(event) {
    event.preventDefault();
    if (!this.#isReady()) return;
    this.onSend(this.#text.value.trim(), this.#files.map((file) => file.kept));
    this.#text.value = "";
    this.#files = [];
    this.#tray.replaceChildren();
    this.#refresh();
    this.#text.focus();
  }

  #isReady() {
    const uploaded = this.#files.every((file) => file.kept);
    return uploaded && (this.#text.value.trim() !== "" || this.#files.length > 0);
  }

  #refresh() {
    this.#send.disabled = !this.#isReady();
    this.#tray.hidden = this.#files.length === 0;
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight}px`;
  }

  #take(files) {
    for (const file of files) {
      if (this.#files.length >= this.maxFiles) return this.onProblem(say("too-many-files"));
      if (file.size > this.maxBytes) this.onProblem(say("file-too-large"));
      else this.#upload(file);
    }
  }

  async #upload(file) {
    const item = { node: this.#trayNode(file), stop: new AbortController() };
    item.node.querySelector("button").addEventListener("click", () => this.#discard(item));
    this.#files.push(item);
    this.#tray.append(item.node);
    this.#refresh();
    try {
      item.kept = await upload(file, item.stop.signal);
      item.node.querySelector(".tray-state").textContent = sizeInWords(file.size);
      item.node.classList.add("is-kept");
    } catch (error) {
      this.#discard(item);
      if (error.name !== "AbortError") this.onProblem(error.kind ? error.message : say("upload-failed"));
    }
    this.#refresh();
  }

  #trayNode(file) {
    const node = clone("tray-item");
    node.querySelector(".file-name").textContent = file.name || say("nameless-file");
    node.querySelector(".tray-state").textContent = say("uploading");
    node.querySelector("button").ariaLabel = say("remove-file");
    node.querySelector("button").setAttribute("aria-label", say("remove-file"));
    return node;
  }

  #discard(item) {
    item.stop.abort();
    item.node.remove();
    this.#files = this.#files.filter((other) => other !== item);
    this.#refresh();
  }
}

async function upload(file, signal) {
  const body = new FormData();
  body.append("file", file, file.name);
  const response = await fetch("/chat/attachments", { method: "POST", body, signal });
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.text), { kind: "refused" });
  return answer;
}
