// The one connection of a console page. Parts of the page ask for frames by type, and for a conversation to be
// followed; after a break the server sends what was missed.

import { Connection } from "../connection.js";

class Live {
  #handlers = new Map();
  #stateHandlers = [];
  #followed = () => ({});
  #connection = new Connection({
    path: "/console/live",
    hello: () => ({ type: "hello", ...this.#followed() }),
    onFrame: (frame) => this.#handlers.get(frame.type)?.forEach((take) => take(frame)),
    onState: (name) => this.#stateHandlers.forEach((take) => take(name)),
  });

  open() {
    this.#connection.open();
  }

  send(frame) {
    return this.#connection.send(frame);
  }

  on(type, take) {
    this.#handlers.set(type, [...(this.#handlers.get(type) ?? []), take]);
  }

  onState(take) {
    this.#stateHandlers.push(take);
  }

  // place() gives the conversation that the page shows and the number of the last line that it has.
  follow(place) {
    this.#followed = place;
    this.send({ type: "hello", ...place() });
  }
}

export const live = new Live();
