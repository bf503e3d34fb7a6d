// What a page says of its visitor, on its way to Marquee: kept in this browser until Marquee has answered for it.
//
// Each record has an id before it is kept, and lies under a key of its own, so that two tabs never write to one place.
// Whatever happens between sending and dropping, the worst is that a record is sent twice, which its id tells.
// `make tracker` makes marquee.js of this file; doc/tracker.md says what a page may rely on.
(() => {
  if ((window.marquee || {}).track) return; // a second copy on the page
  const early = (window.marquee || {}).q || [];
  const script = document.currentScript || document.querySelector("script[data-key]");
  const options = script.dataset;
  const key = options.key || "";
  const url = new URL("events/batch" + (key && "?key=" + key), options.endpoint || script.src);

  const ours = "mq." + key + "."; // what our names in localStorage begin with
  const mostKept = 5e5; // characters of all that waits: a tenth of what browsers give an origin
  const mostSent = 2e4; // characters of a request, in UTF-8 at most 60 kB: `keepalive` takes 64 KiB of a page
  let most = 100; // records of a request

  const memory = {}; // what the storage does not take: it is full, or forbidden
  let storage = {};
  let allowed; // undefined while nobody has decided
  let waiting = []; // what is done once it is allowed
  let referrer = document.referrer;
  let viewed, timer;
  let failures = 0;
  const flying = new Set(); // ids of what this tab has sent, and has no answer for

  // Keeping

  const open = () => {
    try {
      storage = localStorage || {};
    } catch {} // the browser forbids it
  };
  const keep = (name, text) => {
    name = ours + name;
    try {
      storage[name] = text;
      delete memory[name];
    } catch {
      delete storage[name];
      memory[name] = text;
    }
  };
  const kept = (name) => memory[ours + name] || storage[ours + name] || "";
  const drop = (name) => {
    delete memory[ours + name];
    delete storage[ours + name];
  };
  const names = () =>
    [...Object.keys(memory), ...Object.keys(storage)].flatMap((name) =>
      name.startsWith(ours) ? name.slice(ours.length) : [],
    );
  const records = () => names().filter((name) => name[1]).sort(); // "i" is who the visitor is; ids begin with the time

  // Recording

  const makeId = () => {
    // UUIDv7 (RFC 9562, 5.7): 48 bits of milliseconds, then chance
    const random = crypto.getRandomValues(new Uint8Array(23));
    const tail = "-7xxx-yxxx-xxxxxxxxxxxx".replace(/[xy]/g, (sign, at) =>
      (sign > "x" ? 8 + (random[at] & 3) : random[at] & 15).toString(16),
    );
    const time = Date.now().toString(16).padStart(12, 0);
    return time.slice(0, 8) + "-" + time.slice(8) + tail;
  };
  const when = (act) => (allowed ? act() : allowed === undefined && waiting.length < 1e3 && waiting.push(act));
  const who = () => kept("i") || (keep("i", makeId()), kept("i")); // 36 characters of who it is here, then the user
  const record = (type, fields) => {
    const id = makeId();
    const occurred_at = new Date().toISOString();
    const text = JSON.stringify({ id, type, occurred_at, source: "web", ...fields });
    when(() => {
      const visitor = who();
      const ends = { anonymous_id: visitor.slice(0, 36), user_id: visitor.slice(36) || undefined };
      const whole = text.slice(0, -1) + "," + JSON.stringify(ends).slice(1);
      if ((records().map(kept) + whole).length > mostKept) return console.warn("marquee: too much waits", whole);
      keep(id, whole);
      later(1e3);
    });
    return id;
  };
  const here = () => location.href.split("#")[0].slice(0, 2e3); // what follows # may be a token
  const track = (type, properties, value) => {
    const page = { url: here(), title: document.title.slice(0, 500), referrer: referrer.slice(0, 2e3) };
    return record(type, { value, properties: { ...page, ...properties } });
  };
  const identify = (user) =>
    when(() => {
      const visitor = who();
      const known = visitor.slice(36);
      user = "" + (user ?? "");
      if (!user || user == known) return;
      keep("i", (known ? makeId() : visitor) + user); // an anonymous id belongs to one user
      record("identify");
    });
  const reset = () => when(() => drop("i"));
  const consent = (yes) => {
    if (document.prerendering) return document.addEventListener("prerenderingchange", () => consent(yes));
    if (options.doNotTrack != "ignore" && (navigator.globalPrivacyControl || navigator.doNotTrack == 1)) yes = false;
    open();
    allowed = !!yes;
    const acts = waiting.splice(0);
    if (allowed) acts.forEach((act) => act()), flush();
    else names().forEach(drop), (storage = {});
  };
  const view = () => {
    if (viewed == here()) return;
    if (viewed) referrer = viewed;
    viewed = here();
    track("page_view");
  };

  // Sending

  const later = (pause) => (timer = timer || setTimeout(flush, pause));
  const flush = () => {
    clearTimeout(timer);
    timer = 0;
    if (!allowed) return;
    if (!navigator.locks) return send(); // the page is no secure context: two tabs may send the same
    navigator.locks.request(ours, { ifAvailable: true }, (lock) => (lock ? send() : later(2e3))).catch(send);
  };
  const send = async () => {
    const batch = [];
    let body = "";
    for (const id of records()) {
      const text = flying.has(id) ? "" : kept(id); // nothing, too, of what another tab has just dropped
      if (batch.length == most || (body && (body + text).length > mostSent)) break;
      if (text) batch.push(id), (body += (body && ",") + text);
    }
    if (!body) return;
    let pause = -1;
    batch.forEach((id) => flying.add(id));
    try {
      const answer = await fetch(url, {
        // text, and no header of ours: the browser asks nobody whether it may send it
        method: "POST",
        credentials: "omit",
        keepalive: body.length <= mostSent,
        signal: AbortSignal.timeout?.(3e4),
        body: '{"events":[' + body + '],"sent_at":"' + new Date().toISOString() + '"}',
      });
      const said = await answer.json(); // what is no JSON comes from a proxy or a service worker, and not from Marquee
      const { status } = answer;
      if (status == 413 && batch[1]) most = batch.length >> 1;
      else if (status > 499 || status == 429 || status == 408) pause = answer.headers.get("retry-after") * 1e3 || 0;
      else {
        batch.forEach(drop);
        if (said.error || said.refused) console.warn("marquee:", said);
      }
    } catch {
      pause = 0; // offline
    }
    batch.forEach((id) => flying.delete(id));
    failures = pause < 0 ? 0 : failures + 1;
    if (records()[0]) later(Math.max(pause, failures && Math.min(3e5, 500 * 2 ** failures) * (1 + Math.random())));
  };

  // The page

  const safely =
    (act) =>
    (...given) => {
      try {
        return act(...given);
      } catch (error) {
        console.warn("marquee:", error);
      }
    };
  const calls = { track, identify, reset, consent };
  for (const name in calls) calls[name] = safely(calls[name]);
  const push = safely(([name, ...given]) => calls[name](...given));
  window.marquee = { ...calls, q: { push } };

  if (options.consent != "wait") calls.consent(true);
  early.forEach(push);
  if ("pageViews" in options) {
    const pushState = history.pushState;
    history.pushState = function () {
      pushState.apply(this, arguments);
      setTimeout(view); // the page is shown first
    };
    addEventListener("popstate", () => setTimeout(view));
    addEventListener("pageshow", (event) => event.persisted && ((viewed = 0), view()));
    view();
  }
  addEventListener("online", () => ((failures = 0), flush()));
  addEventListener("visibilitychange", () => document.hidden && allowed && send());
  addEventListener("pagehide", () => allowed && send());
})();
