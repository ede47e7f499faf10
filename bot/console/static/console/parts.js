// Parts of a page that are drawn anew by the server: the page is asked for again, and what it shows now takes
// the place of what stands there. What somebody is writing in stays.

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
  const open = [...old.querySelectorAll("details[open]")].map((one) => one.id);
  old.replaceWith(document.importNode(fresh, true));
  for (const field of kept) {
    const now = document.getElementById(field.id);
    if (now && !now.value) now.value = field.value;
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
