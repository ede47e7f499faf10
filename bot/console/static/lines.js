// Draws lines of the conversation. Every text becomes a text node, so nothing anybody wrote is ever markup.

import { clone, say, sizeInWords } from "./texts.js";

const STYLES = new Set(["b", "i", "code"]);
const FATES = ["clock", "kept", "arrived", "failed"];

// line: a message frame, or the same made of a pending entry. onPress(button) is called for a chip.
export function drawLine(line, onPress) {
  const node = clone("line");
  node.classList.add(line.author === "customer" ? "mine" : "bot");
  const who = node.querySelector(".who");
  who.textContent = line.name ? `${line.name}:` : say(`who-${line.author}`);
  if (line.author === "staff") {
    // Whom one talks to is seen by everybody; who spoke else is only told to those who cannot see it.
    node.classList.add("staff");
    who.classList.replace("unseen", "seen");
  }
  node.querySelector(".files").append(...(line.attachments ?? []).map((file) => drawFile(file, line)));
  drawWords(node, line);
  drawTime(node, line.at);
  node.querySelector(".chips").append(...drawChips(line.buttons ?? [], onPress));
  return node;
}

// Words that stay the same are left alone, so that nothing is read out again.
export function drawWords(node, line) {
  const words = node.querySelector(".words");
  if (words.textContent === line.segments.map(([text]) => text).join("")) return;
  words.replaceChildren(...line.segments.map(drawRun));
}

// Buttons that name the same row stand in it, beginning at the right as all of the page does.
function drawChips(buttons, onPress) {
  const rows = new Map();
  const drawn = [];
  for (const button of buttons) {
    const chip = drawChip(button, onPress);
    if (button.row === undefined) {
      drawn.push(chip);
      continue;
    }
    if (!rows.has(button.row)) {
      const row = document.createElement("div");
      row.className = "chip-row";
      rows.set(button.row, row);
      drawn.push(row);
    }
    rows.get(button.row).append(chip);
  }
  return drawn;
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
  for (const chip of chosen.closest(".chips").querySelectorAll("button")) chip.disabled = true;
  chosen.setAttribute("aria-pressed", "true");
  return true;
}

function drawFile(file, line) {
  const address = file.address ?? `/chat/attachments/${encodeURIComponent(file.id)}`;
  if (file.kind === "photo") return line.author === "bot" ? drawPicture(line, address) : drawPhoto(file, address);
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

// What the bot drew says nothing that is not in the words below it, which stay when its file is gone.
function drawPicture(line, address) {
  const link = drawPhoto({ file_name: line.segments.map(([text]) => text).join("") }, address);
  link.classList.add("drawn");
  link.firstElementChild.addEventListener("error", () => link.remove());
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
