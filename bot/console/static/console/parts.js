// Parts of a page that are drawn anew by the server: the page is asked for again, and what it shows now takes
// the place of what stands there. What somebody is writing stays, and for whom: a note for colleagues must not
// become a message to the customer.

const AGAIN_AFTER = 3000; // milliseconds after which what failed is tried again

// onLost(words) is given what somebody was writing in a field that is there no more.
export async function renew(ids, { request = () => fetch(location.href), onLost = () => {} } = {}) {
  const response = await request();
  if (response.status >= 500) throw new Error(`no parts: ${response.status}`);
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const id of ids) replace(id, page, onLost);
}

// Returns what does some work once at a time: again when it is asked for meanwhile, and when it failed.
export function repeating(work, pause = 0) {
  let isBusy = false;
  let isDue = false;
  return async () => {
    isDue = true;
    if (isBusy) return;
    isBusy = true;
    while (isDue) {
      isDue = false;
      let rest = pause;
      try {
        await work();
      } catch {
        isDue = true;
        rest = AGAIN_AFTER;
      }
      await new Promise((done) => setTimeout(done, rest));
    }
    isBusy = false;
  };
}

function replace(id, page, onLost) {
  const old = document.getElementById(id);
  const fresh = page.getElementById(id);
  // A form that was not sent yet keeps its key: nothing else about it is new.
  const key = old?.querySelector("input[name=key]")?.value;
  if (key) fresh?.querySelector("input[name=key]")?.setAttribute("value", key);
  if (!old || !fresh || old.innerHTML === fresh.innerHTML) return;
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  const kept = [...old.querySelectorAll("textarea")].filter((field) => field.id && field.value);
  const files = [...old.querySelectorAll("input[type=file]")].filter((field) => field.files.length);
  const chosen = [...old.querySelectorAll("input[type=radio]:checked")].filter(
    ({ name }) => kept.length || old.querySelectorAll(`input[type=radio][name="${name}"]`).length > 1,
  );
  const options = [...old.querySelectorAll("select[id]")].filter((field) =>
    [...field.options].some((one) => one.selected !== one.defaultSelected),
  );
  const open = [...old.querySelectorAll("details[open]")].map((one) => one.id);
  const place = document.importNode(fresh, true);
  old.replaceWith(place);
  for (const field of kept) {
    const now = document.getElementById(field.id);
    if (!now) onLost(field.value);
    else if (!now.value) now.value = field.value;
  }
  for (const field of options) {
    const now = document.getElementById(field.id);
    if (now && [...now.options].some((one) => one.value === field.value)) now.value = field.value;
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
