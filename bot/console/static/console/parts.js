// Parts of a page that are drawn anew by the server: the page is asked for again, and what it shows now takes
// the place of what stands there. What somebody is writing stays, and for whom: a note for colleagues must not
// become a message to the customer.

export async function renew(ids, request = () => fetch(location.href)) {
  const response = await request();
  if (!response.ok) return null;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const id of ids) replace(id, page);
  return page;
}

function replace(id, page) {
  const old = document.getElementById(id);
  const fresh = page.getElementById(id);
  if (!old || !fresh || old.innerHTML === fresh.innerHTML) return;
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  const kept = [...old.querySelectorAll("textarea")].filter((field) => field.id && field.value);
  const files = [...old.querySelectorAll("input[type=file]")].filter((field) => field.files.length);
  const chosen = [...old.querySelectorAll("input[type=radio]:checked")].filter(
    ({ name }) => kept.length || old.querySelectorAll(`input[type=radio][name="${name}"]`).length > 1,
  );
  const open = [...old.querySelectorAll("details[open]")].map((one) => one.id);
  const place = document.importNode(fresh, true);
  old.replaceWith(place);
  for (const field of kept) {
    const now = document.getElementById(field.id);
    if (now && !now.value) now.value = field.value;
  }
  for (const { name, value } of chosen) {
    const now = place.querySelector(`input[type=radio][name="${name}"][value="${value}"]`);
    if (now) now.checked = true;
  }
  for (const field of files) {
    const now = place.querySelector(`input[type=file][name="${field.name}"]`);
    if (now) now.files = field.files;
  }
  for (const name of open) if (name) document.getElementById(name)?.setAttribute("open", "");
  if (focused) document.getElementById(focused)?.focus();
}

// Draws a line that the server drew: it has escaped everything in it.
export function fromHtml(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  return holder.content.firstElementChild;
}
