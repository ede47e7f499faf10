// Draws lines of the conversation. Every text becomes a text node, so nothing anybody wrote is ever markup.

import { clone, say, sizeInWords } from "./texts.js";

const STYLES = new Set(["b", "i", "code"]);
const FATES = ["clock", "kept", "arrived", "failed"];

// line: a message frame, or the same made of a pending entry. onPress(button) is called for a chip.
export function drawLine(line, onPress) {
  const node = clone("line");
  node.classList.add(line.author === "customer" ? "mine" : "bot");
  node.querySelector(".who").textContent = say(`who-${line.author}`);
  node.querySelector(".files").append(...(line.attachments ?? []).map(drawFile));
  node.querySelector(".words").append(...line.segments.map(drawRun));
  drawTime(node, line.at);
  node.querySelector(".chips").append(...(line.buttons ?? []).map((button) => drawChip(button, onPress)));
  return node;
}

function drawRun([text, tags]) {
  let node = document.createTextNode(text);
  for (const tag of tags.filter((name) => STYLES.has(name))) {
    const wrapper = document.createElement(tag);
    wrapper.append(node);
    node = wrapper;
  }
  return node;
}

function drawTime(node, at) {
  const time = node.querySelector("time");
  time.dateTime = at.iso;
  time.textContent = at.time;
  if (at.day) time.title = at.day;
}

// What became of the visitor's own line: one of FATES.
export function showFate(node, fate) {
  const mark = node.querySelector(".fate");
  mark.querySelector("use").setAttribute("href", `#icon-${fate === "failed" ? "close" : fate}`);
  mark.querySelector(".unseen").textContent = say(fate);
  for (const name of FATES) node.classList.toggle(`is-${name}`, name === fate);
}

function drawChip(button, onPress) {
  const chip = document.createElement("button");
  chip.type = "button";
  chip.textContent = button.title;
  chip.dataset.token = button.token;
  chip.addEventListener("click", () => onPress(button));
  return chip;
}

// The buttons of one message are used together: after one was chosen none can be. Tells whether it was found.
export function useChips(root, token) {
  const chosen = [...root.querySelectorAll(".chips button")].find((chip) => chip.dataset.token === token);
  if (!chosen) return false;
  for (const chip of chosen.parentElement.children) chip.disabled = true;
  chosen.setAttribute("aria-pressed", "true");
  return true;
}

function drawFile(file) {
  const address = `/chat/attachments/${encodeURIComponent(file.id)}`;
  if (file.kind === "photo") return drawPhoto(file, address);
  if (["voice", "audio", "video"].includes(file.kind)) return drawPlayer(file, address);
  const node = clone("file");
  node.href = address;
  node.download = file.file_name;
  node.querySelector(".file-name").textContent = file.file_name || say("nameless-file");
  node.querySelector(".file-size").textContent = sizeInWords(file.size);
  return node;
}

function drawPhoto(file, address) {
  const link = document.createElement("a");
  link.className = "photo";
  link.href = address;
  link.target = "_blank";
  link.rel = "noopener";
  const image = document.createElement("img");
  image.src = address;
  image.alt = file.file_name || say("photo");
  link.append(image);
  return link;
}

function drawPlayer(file, address) {
  const player = document.createElement(file.kind === "video" ? "video" : "audio");
  player.controls = true;
  player.preload = "metadata";
  player.src = address;
  return player;
}

export function drawDay(at) {
  const node = clone("day");
  node.firstElementChild.textContent = at.day;
  return node;
}
