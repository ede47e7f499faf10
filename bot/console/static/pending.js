// What the visitor sent and the transcript does not show yet. It survives a reload, a crash and a lost connection.

const KEY = "peyvand.pending";

export class PendingMessages {
  #canStore = true;
  #memory = [];

  // Read anew each time: another tab of the same visitor adds to it too.
  all() {
    if (!this.#canStore) return this.#memory; // storage is forbidden or full; then a reload is not survived
    try {
      return JSON.parse(localStorage.getItem(KEY)) ?? [];
    } catch {
      this.#canStore = false;
      return this.#memory;
    }
  }

  add(entry) {
    this.#save([...this.all(), entry]);
  }

  // The server has committed it: it need not be sent again, but is still drawn from here.
  markKept(clientId) {
    this.#save(this.all().map((entry) => (entry.client_id === clientId ? { ...entry, kept: true } : entry)));
  }

  remove(clientId) {
    this.#save(this.all().filter((entry) => entry.client_id !== clientId));
  }

  // One at a time and in order: the next leaves when this one is committed.
  nextToSend() {
    return this.all().find((entry) => !entry.kept);
  }

  #save(entries) {
    this.#memory = entries;
    try {
      localStorage.setItem(KEY, JSON.stringify(entries));
    } catch {
      this.#canStore = false;
    }
  }
}

// crypto.randomUUID needs https; a shop may try the page on its own network without it.
export function newClientId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
