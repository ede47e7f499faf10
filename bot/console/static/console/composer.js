// Where an agent writes: to the customer or to colleagues, with replies kept ready and files.

import { newClientId } from "../pending.js";
import { sizeInWords } from "../texts.js";

// What begins so stays among the staff; unseen marks of the direction may stand before (crm_store/handoff/written.py).
const WHISPER = /^[\s\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]*[/／][\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f]*[/／]+/;

export class Composer {
  #form = null;
  #text = null;

  // onSend(text, isWhisper) takes words; onFiles(form) takes a form with files in it.
  constructor({ onSend, onFiles }) {
    Object.assign(this, { onSend, onFiles });
    this.attach();
  }

  // The server draws the form anew when somebody else has the conversation.
  attach() {
    const form = document.getElementById("composer");
    if (!form || form === this.#form) return;
    this.#form = form;
    this.#text = form.elements.text;
    form.addEventListener("submit", (event) => this.#submit(event));
    form.elements.canned?.addEventListener("change", (event) => this.#insert(event.target));
    form.elements.files?.addEventListener("change", () => this.#showFiles());
    this.#text.addEventListener("input", () => this.#grow());
    this.#text.addEventListener("keydown", (event) => this.#onKey(event));
    this.#text.addEventListener("paste", (event) => this.#onPaste(event));
    this.#showFiles();
    this.#grow();
  }

  get handoff() {
    return Number(this.#form?.elements.handoff?.value ?? 0);
  }

  set isBusy(value) {
    for (const button of this.#form.querySelectorAll("button")) button.disabled = value;
    this.#form.setAttribute("aria-busy", value);
  }

  focus() {
    if (matchMedia("(pointer: fine)").matches) this.#text?.focus();
  }

  giveBack(text) {
    this.#text.value = [text, this.#text.value].filter(Boolean).join("\n");
    this.#grow();
  }

  clear() {
    this.#text.value = "";
    if (this.#form.elements.files) this.#form.elements.files.value = "";
    if (this.#form.elements.canned) this.#form.elements.canned.value = "";
    this.#form.elements.key.value = newClientId();
    this.#showFiles();
    this.#grow();
  }

  #onKey(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.#form.requestSubmit();
    }
  }

  #onPaste(event) {
    const { files } = event.clipboardData;
    if (files.length === 0 || !this.#form.elements.files) return;
    event.preventDefault();
    this.#form.elements.files.files = files;
    this.#showFiles();
  }

  #submit(event) {
    event.preventDefault();
    if (this.#form.getAttribute("aria-busy") === "true") return;
    if (this.#form.elements.files?.files.length) return this.onFiles(this.#form);
    const typed = this.#text.value.trim();
    const isWhisper = this.#form.elements.to.value === "staff" || WHISPER.test(typed);
    const text = typed.replace(WHISPER, "").trim();
    if (!text) return;
    this.onSend(text, isWhisper);
    this.clear();
    this.focus();
  }

  #insert(chosen) {
    const text = chosen.selectedOptions[0]?.dataset.text;
    if (!text) return;
    this.#text.value = [this.#text.value.trim(), text].filter(Boolean).join("\n");
    chosen.value = "";
    this.#grow();
    this.#text.focus();
  }

  // A shortcut and a space after it: «/سلام ».
  #expand() {
    const [, shortcut] = this.#text.value.match(/^(\/\S+)\s$/) ?? [];
    const known = [...(this.#form.elements.canned?.options ?? [])].find((one) => one.value === shortcut);
    if (known) this.#text.value = known.dataset.text;
  }

  #grow() {
    this.#expand();
    this.#text.rows = Math.min(8, Math.max(2, this.#text.value.split("\n").length));
  }

  #showFiles() {
    const files = [...(this.#form.elements.files?.files ?? [])];
    const chosen = this.#form.querySelector(".chosen");
    if (chosen) chosen.textContent = files.map((file) => `${file.name} (${sizeInWords(file.size)})`).join("، ");
  }
}
