// The words of the page; they live in its template.

const words = new Map(
  [...document.getElementById("texts").content.querySelectorAll("[data-key]")].map((node) => [
    node.dataset.key,
    node.textContent,
  ]),
);

export const say = (key) => words.get(key) ?? "";

export const clone = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

const number = new Intl.NumberFormat("fa-IR", { maximumFractionDigits: 1 });

export function sizeInWords(bytes) {
  return bytes < 1_000_000
    ? `${number.format(Math.max(1, Math.round(bytes / 1000)))} ${say("kilobytes")}`
    : `${number.format(bytes / 1_000_000)} ${say("megabytes")}`;
}
