// Updates the parts of the page when the operator reports a change. A reload does the same.
const live = document.getElementById("live");

function say(text, state) {
  if (live.textContent !== text) live.textContent = text;
  live.dataset.state = state;
}

// Changes `now` into `next` in place, so that focus, selection and scroll position are kept.
function become(now, next) {
  if (now.nodeType !== next.nodeType || now.nodeName !== next.nodeName) {
    now.replaceWith(document.importNode(next, true));
    return;
  }
  if (now.nodeType === Node.TEXT_NODE) {
    if (now.data !== next.data) now.data = next.data;
    return;
  }
  if (now.nodeType !== Node.ELEMENT_NODE) return;
  for (const { name } of [...now.attributes]) if (!next.hasAttribute(name)) now.removeAttribute(name);
  for (const { name, value } of next.attributes) {
    if (now.getAttribute(name) !== value) now.setAttribute(name, value);
  }
  const known = new Map([...now.children].filter((one) => one.id).map((one) => [one.id, one]));
  [...next.childNodes].forEach((wanted, place) => {
    const there = now.childNodes[place];
    const same = wanted.id ? known.get(wanted.id) : there?.id ? undefined : there;
    if (!same) {
      now.insertBefore(document.importNode(wanted, true), there ?? null);
      return;
    }
    if (same !== there) now.insertBefore(same, there);
    become(same, wanted);
  });
  while (now.childNodes.length > next.childNodes.length) now.lastChild.remove();
}

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (answer.status === 401) return location.reload();
  if (!answer.ok) throw new Error(answer.statusText);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const focused = document.activeElement?.id;
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(part.id);
    if (next) become(part, next);
  }
  if (focused && document.activeElement?.id !== focused) {
    document.getElementById(focused)?.focus({ preventScroll: true });
  }
  say("Live", "on");
}

let isBusy = false;
let isDue = false;

// One update at a time; all changes during an update lead to one more.
async function changed() {
  if (isBusy) {
    isDue = true;
    return;
  }
  isBusy = true;
  try {
    await refresh();
  } catch {
    say("Not live: the last update failed", "off");
  }
  isBusy = false;
  if (isDue) {
    isDue = false;
    changed();
  }
}

let stream = null;

function listen() {
  if (stream || document.hidden) return;
  const own = (stream = new EventSource(live.dataset.events));
  own.addEventListener("open", changed);
  own.addEventListener("changed", changed);
  own.addEventListener("over", () => location.reload());
  own.addEventListener("error", () => {
    say("Not live: trying again", "off");
    // Browsers do not reconnect to a stream that was refused.
    if (own.readyState !== EventSource.CLOSED) return;
    stop();
    setTimeout(listen, 15000);
  });
}

function stop() {
  stream?.close();
  stream = null;
}

// Browsers limit connections to one host: hidden tabs must not take them all.
document.addEventListener("visibilitychange", () => (document.hidden ? stop() : listen()));
say("Connecting", "off");
listen();
