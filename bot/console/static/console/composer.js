// Where an agent writes: to the customer or to colleagues, with replies kept ready and files.

import { newClientId } from "../pending.js";
import { sizeInWords } from "../texts.js";

// What begins so stays among the staff; unseen marks of the direction may stand before (crm_store/handoff/written.py).
const WHISPER = /^[\s\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]*[/／][\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f]*[/／]+/;

export class Composer {
  #form = null;
  #text = null;
  #isBusy = false;
  #givenBack = ""; // what came back and still stands at the beginning of the field

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
    this.#hold();
    this.#showFiles();
    this.#grow();
  }

  get handoff() {
    return Number(this.#form?.elements.handoff?.value ?? 0);
  }

  // While files are on their way nothing changes in the form, which is emptied afterwards.
  set isBusy(value) {
    this.#isBusy = value;
    this.#hold();
  }

  focus() {
    if (matchMedia("(pointer: fine)").matches) this.#text?.focus();
  }

  // Words that were not taken stand before what was written since, in their order; a note stays one.
  giveBack(text, isWhisper) {
    if (!this.#form) return;
    const isUntouched = `${this.#text.value}\n`.startsWith(`${this.#givenBack}\n`);
    const before = isUntouched ? this.#givenBack : "";
    const since = this.#text.value.slice(before.length).replace(/^\n/, "");
    this.#givenBack = [before, text].filter(Boolean).join("\n");
    this.#text.value = [this.#givenBack, since].filter(Boolean).join("\n");
    const staff = this.#form.querySelector('input[name="to"][value="staff"]');
    if (isWhisper && staff) staff.checked = true;
    this.#grow();
  }

  clear() {
    this.#text.value = "";
    this.#givenBack = "";
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

  #hold() {
    for (const one of this.#form.querySelectorAll("button, select, input[type=file]")) one.disabled = this.#isBusy;
    this.#text.readOnly = this.#isBusy;
    if (this.#isBusy) this.#form.setAttribute("aria-busy", true);
    else this.#form.removeAttribute("aria-busy");
  }

  // Word and Excel add a picture of the text that is copied: the text is what is meant.
  #onPaste(event) {
    const { files, types } = event.clipboardData;
    const isText = types.includes("text/plain") && types.includes("text/html");
    const field = this.#form.elements.files;
    if (files.length === 0 || isText || !field || this.#isBusy) return;
    event.preventDefault();
    const all = new DataTransfer();
    for (const file of [...field.files, ...files]) all.items.add(file);
    field.files = all.files;
    this.#showFiles();
  }

  #submit(event) {
    event.preventDefault();
    if (this.#isBusy) return;
    if (this.#expand(this.#text.value.trim())) return this.#grow(); // whoever sends it reads it first
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

  // Puts a kept reply in the place of its shortcut; returns whether there is one.
  #expand(shortcut) {
    const options = [...(this.#form.elements.canned?.options ?? [])];
    const known = shortcut && options.find((one) => one.value === shortcut);
    if (known) this.#text.value = known.dataset.text;
    return Boolean(known);
  }

  #grow() {
    this.#expand(this.#text.value.match(/^(\/\S+)\s$/)?.[1]); // a shortcut and a space after it: «/سلام »
    this.#text.rows = Math.min(8, Math.max(2, this.#text.value.split("\n").length));
  }

  #showFiles() {
    const files = [...(this.#form.elements.files?.files ?? [])];
    const chosen = this.#form.querySelector(".chosen");
    if (chosen) chosen.textContent = files.map((file) => `${file.name} (${sizeInWords(file.size)})`).join("، ");
  }
}
