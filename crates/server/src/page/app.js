// The page over the API: sign in, see devices and open cases, and what is new as it comes.
"use strict";

const api = "/api/v1";
const $ = (id) => document.getElementById(id);
const cases = new Map();
const devices = new Map();
const rank = ["critical", "high", "medium", "low", "info"];
const shownCases = 200;
const shownDevices = 500;
const shownReached = 20;
const spoken = new Map();
// Blast radii of cases: what came, or why nothing did; and which are unfolded.
const blasts = new Map();
const unfolded = new Set();
const asked = [];
let asking = false;
let mayTeach = false;
let stream = null;
let drawing = false;

async function ask(method, path, body) {
  const headers = { "x-wardwatch": "1" };
  if (body) headers["content-type"] = "application/json";
  const response = await fetch(api + path, { method, headers, body: body && JSON.stringify(body) });
  if (response.status === 401 && path !== "/session") showSignIn();
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    throw new Error(problem.detail || "Wardwatch does not answer.");
  }
  return response.status === 204 ? null : response.json();
}

async function all(path, most) {
  const items = [];
  let cursor = "";
  do {
    const page = await ask("GET", path + (cursor ? "&cursor=" + encodeURIComponent(cursor) : ""));
    items.push(...page.items);
    cursor = page.next;
  } while (cursor && items.length < most);
  return items;
}

function showSignIn() {
  if (stream) stream.close();
  stream = null;
  cases.clear();
  devices.clear();
  spoken.clear();
  blasts.clear();
  unfolded.clear();
  asked.length = 0;
  $("board").hidden = true;
  $("who").hidden = true;
  $("sign-in").hidden = false;
  $("state").textContent = "";
  $("user").focus();
}

async function showBoard() {
  const me = await ask("GET", "/me");
  $("name").textContent = `${me.name} (${me.role})`;
  mayTeach = me.role === "analyst" || me.role === "admin";
  $("who").hidden = false;
  $("sign-in").hidden = true;
  $("board").hidden = false;
  listen();
  await load();
}

async function load() {
  const [open, taken, known] = await Promise.all([
    all("/cases?limit=200&status=open", 2000),
    all("/cases?limit=200&status=acknowledged", 2000),
    all("/devices?limit=1000", 20000),
  ]);
  cases.clear();
  [...open, ...taken].forEach((one) => cases.set(one.id, one));
  known.forEach((one) => devices.set(one.id, one));
  draw();
}

function listen() {
  if (stream) stream.close();
  stream = new EventSource(api + "/stream");
  stream.onopen = () => { $("state").textContent = "Live."; };
  stream.onerror = () => {
    $("state").textContent = "Connection lost. What you see may be old.";
    // A closed stream may be a session that ended: asking tells.
    if (stream && stream.readyState === EventSource.CLOSED) {
      stream = null;
      setTimeout(() => showBoard().catch(() => listenLater()), 3000);
    }
  };
  stream.addEventListener("case", (event) => {
    const one = JSON.parse(event.data);
    const before = cases.get(one.id);
    one.status = one.status || (before && before.status) || "open";
    if (one.status === "closed") cases.delete(one.id); else cases.set(one.id, one);
    draw();
  });
  stream.addEventListener("device", (event) => {
    const one = JSON.parse(event.data);
    devices.set(one.id, one);
    draw();
  });
  stream.addEventListener("gap", () => load().catch(() => {}));
}

function listenLater() {
  if (!$("board").hidden) setTimeout(() => showBoard().catch(() => listenLater()), 5000);
}

function element(tag, text, name) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (name) made.className = name;
  return made;
}

const when = (text) => new Date(text).toLocaleString();

function draw() {
  // Many events in one moment are one drawing.
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => { drawing = false; drawNow(); });
}

// What an analyst says of a case: first what it would change, then whether it is meant.
function words(one) {
  const line = element("p", undefined, "words");
  const said = spoken.get(one.id);
  if (said) line.append(element("span", said));
  for (const [verdict, text] of [["harmless", "Normal for us"], ["attack", "Attack"]]) {
    const button = element("button", text);
    button.type = "button";
    button.setAttribute("aria-label", `${text}: ${one.title}`);
    button.addEventListener("click", () => speak(one, verdict, text));
    line.append(" ", button);
  }
  return line;
}

async function speak(one, verdict, text) {
  const path = `/cases/${encodeURIComponent(one.id)}/feedback`;
  try {
    const would = await ask("POST", path + "/preview", { verdict });
    if (!confirm(`${text}: ${one.title}\n\n${would.says}\n\nSay so?`)) return;
    const kept = await ask("POST", path, { verdict });
    const taught = kept.models && kept.models.entered ? "The models learned it." : "Kept.";
    spoken.set(one.id, `${text}, said ${kept.who}. ${taught}`);
  } catch (error) {
    spoken.set(one.id, error.message);
  }
  draw();
}

// What a taken device could do, of every case that somebody looks at: asked for one after the other,
// since each takes a look at the whole network, and again when a case has changed.
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) wantBlast(entry.target.dataset.case);
});

function wantBlast(id) {
  const one = cases.get(id);
  const known = blasts.get(id);
  if (!one || asked.includes(id) || (known && known.of === one.updated)) return;
  asked.push(id);
  askBlasts();
}

async function askBlasts() {
  if (asking) return;
  asking = true;
  while (asked.length) {
    const id = asked[0];
    const of = (cases.get(id) || {}).updated;
    try {
      blasts.set(id, { of, blast: await ask("GET", `/cases/${encodeURIComponent(id)}/blast`) });
    } catch (error) {
      blasts.set(id, { of, why: error.message });
    }
    asked.shift();
    draw();
  }
  asking = false;
}

// "2 T0, 1 T2", and how many more through shared networks.
function count(reach) {
  const tiers = (counts) => Object.entries(counts).map(([tier, number]) => `${number} ${tier}`).join(", ");
  const could = tiers(reach.could);
  return (tiers(reach.observed) || "nobody") + (could ? ` (through shared networks also ${could})` : "");
}

const zone = (id) => id.of ? `${id.of[0].replaceAll("_", " ")} ${id.of[1]}` : id;

const many = (number, what) => `${number} ${what}${number === 1 ? "" : "s"}`;

const cutText = (cut) => `${zone(cut.from)} → ${zone(cut.to)}, ${cut.proto} port ${cut.port}. Takes ${many(cut.protects, "life-sustaining or time-critical device")} out of reach; cuts ${many(cut.conversations, "conversation")} that care does not need, and ${cut.kept ? `leaves ${cut.kept} that it needs` : "none that it needs"}`;

function reachList(title, reach) {
  const part = element("div");
  part.append(element("h4", title));
  const list = element("ul");
  list.append(...reach.devices.slice(0, shownReached).map((one) => element("li",
    `${one.name} (${one.class.replaceAll("_", " ")}, ${one.tier}) · ${many(one.hops, "hop")} via ${one.via} · ${one.how === "observed" ? "as recorded" : "could, through a shared network"}`)));
  const all = [reach.observed, reach.could].flatMap((counts) => Object.values(counts)).reduce((a, b) => a + b, 0);
  if (all > shownReached) list.append(element("li", `and ${all - shownReached} more`, "meta"));
  part.append(reach.devices.length ? list : element("p", "Nobody.", "meta"));
  return part;
}

function blastOf(one) {
  const box = element("div", undefined, "blast");
  const known = blasts.get(one.id);
  const head = element("p");
  head.append(element("strong", "Blast radius"));
  box.append(head);
  if (!known || known.why) {
    head.append(known ? `: not known. ${known.why}` : ": being worked out");
    return box;
  }
  const blast = known.blast;
  head.append(`: can reach ${count(blast.reaches)}; can be reached by ${count(blast.reached_by)}.`);
  box.append(element("p", blast.care.length ? `Care within reach: ${blast.care.join("; ")}.` : "No care is within reach along recorded conversations."));
  box.append(element("p", blast.cuts.length ? `Cut first: ${cutText(blast.cuts[0])}.` : "No single cut takes critical devices out of reach without harm to care.", "cut"));
  const more = element("details");
  more.append(element("summary", "Who is within reach"));
  if (blast.cuts.length > 1) {
    more.append(element("h4", "Then cut"));
    const then = element("ol");
    then.append(...blast.cuts.slice(1, 4).map((cut) => element("li", cutText(cut))));
    more.append(then);
  }
  more.append(reachList("It can reach", blast.reaches), reachList("Can reach it", blast.reached_by));
  more.open = unfolded.has(one.id);
  more.addEventListener("toggle", () => { if (more.open) unfolded.add(one.id); else unfolded.delete(one.id); });
  box.append(more);
  return box;
}

function drawNow() {
  const order = (a, b) => rank.indexOf(a.severity) - rank.indexOf(b.severity) || b.updated.localeCompare(a.updated);
  const sorted = [...cases.values()].sort(order);
  $("cases").replaceChildren(...sorted.slice(0, shownCases).map((one) => {
    const item = element("li", undefined, rank.includes(one.severity) ? one.severity : "");
    item.append(element("strong", one.title));
    item.append(element("p", `${one.severity} · ${one.status} · ${one.id} · ${when(one.updated)}`, "meta"));
    if (one.next_step) item.append(element("p", one.next_step));
    item.append(blastOf(one));
    if (mayTeach) item.append(words(one));
    item.dataset.case = one.id;
    return item;
  }));
  seen.disconnect();
  for (const item of $("cases").children) seen.observe(item);
  $("no-cases").hidden = sorted.length > 0;
  $("case-count").textContent = sorted.length ? `(${sorted.length})` : "";
  const known = [...devices.values()];
  $("devices").replaceChildren(...known.slice(0, shownDevices).map((one) => {
    const row = element("tr");
    const name = (one.name && one.name[0]) || one.mac || one.id;
    const address = one.ip && one.ip.length ? one.ip[one.ip.length - 1] : "";
    const class_ = one.class.replaceAll("_", " ");
    row.append(...[name, class_, one.tier, address, when(one.last_seen)].map((text) => element("td", text)));
    return row;
  }));
  const more = known.length > shownDevices ? `, the first ${shownDevices} shown` : "";
  $("device-count").textContent = `(${known.length}${more})`;
}

$("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const name = $("user").value.trim();
  const secret = $("password").value;
  $("refused").textContent = "";
  try {
    await ask("POST", "/session", name ? { name, password: secret } : { token: secret.trim() });
    $("password").value = "";
    await showBoard();
  } catch (error) {
    $("refused").textContent = error.message;
  }
});

$("out").addEventListener("click", async () => {
  await ask("DELETE", "/session").catch(() => {});
  showSignIn();
});

showBoard().catch(showSignIn);
