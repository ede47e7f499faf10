// Other words for a line that one wrote: its text becomes a field, Enter keeps it, Escape leaves it as it was.

export class Editing {
  #lines = null;
  #template = document.getElementById("edit-form");
  #onSave = null;
  #onCancel = null;
  #onDone = null;

  // onSave(message, text) takes the new words; onCancel(message) is told when they are not wanted any more, and
  // onDone() when the field is gone.
  constructor(lines, { onSave, onCancel, onDone }) {
    this.#lines = lines;
    this.#onSave = onSave;
    this.#onCancel = onCancel;
    this.#onDone = onDone;
    lines.addEventListener("click", (event) => {
      const button = event.target.closest("[data-edit]");
      if (button) this.#open(button.closest(".line"), Number(button.dataset.edit));
    });
  }

  #open(line, message) {
    for (const form of this.#lines.querySelectorAll(".edit-form")) this.close(form);
    const form = this.#template.content.firstElementChild.cloneNode(true);
    const field = form.elements.text;
    field.id = `edit-${message}`;
    form.querySelector("label").htmlFor = field.id;
    field.defaultValue = line.querySelector(".words").textContent;
    form.dataset.message = message;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save(form);
    });
    form.addEventListener("keydown", (event) => this.#onKey(event, form));
    form.querySelector("[data-cancel]").addEventListener("click", () => this.#cancel(form));
    line.querySelector(".words").after(form);
    line.classList.add("is-editing");
    form.scrollIntoView({ block: "nearest" });
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  }

  #onKey(event, form) {
    if (event.key === "Escape") this.#cancel(form);
    else if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.target.name === "text") {
      event.preventDefault();
      form.requestSubmit();
    }
  }

  #save(form) {
    const text = form.elements.text.value.trim();
    const before = form.closest(".line").querySelector(".words").textContent;
    if (!text || text === before) return this.#cancel(form);
    form.setAttribute("aria-busy", true);
    this.#onSave(Number(form.dataset.message), text);
  }

  #cancel(form) {
    this.#onCancel(Number(form.dataset.message));
    this.close(form);
  }

  // The words were taken: they stand there at once, the line itself comes again.
  taken(message, text) {
    const form = this.#of(message);
    if (!form) return;
    form.closest(".line").querySelector(".words").textContent = text;
    this.close(form);
  }

  // They were refused: whoever wrote them still has them.
  refused(message) {
    const form = this.#of(message);
    form?.removeAttribute("aria-busy");
    form?.elements.text.focus();
  }

  // A line is drawn anew while it is being edited.
  keep(old, fresh) {
    const form = old.querySelector(".edit-form");
    if (!form || !fresh.querySelector(".words")) return;
    const hadFocus = form.contains(document.activeElement);
    fresh.querySelector(".words").after(form);
    fresh.classList.add("is-editing");
    if (hadFocus) queueMicrotask(() => form.elements.text.focus());
  }

  close(form) {
    const line = form.closest(".line");
    const hadFocus = form.contains(document.activeElement);
    form.remove();
    line.classList.remove("is-editing");
    if (hadFocus) this.#onDone(line.querySelector("[data-edit]"));
  }

  #of(message) {
    return this.#lines.querySelector(`.edit-form[data-message="${message}"]`);
  }
}
