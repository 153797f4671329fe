// Brings the live part of the page up to date, unless somebody is typing or selecting in it.
const EVERY = 3000;

async function refresh() {
  const live = document.getElementById("live");
  const busy = live && (live.contains(document.activeElement) || !getSelection().isCollapsed);
  if (!live || busy || document.hidden) return;
  const answer = await fetch(location.href).catch(() => null);
  if (!answer?.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const next = fresh.getElementById("live");
  if (next && next.innerHTML !== live.innerHTML) live.innerHTML = next.innerHTML;
}

if (document.getElementById("live")) setInterval(refresh, EVERY);
