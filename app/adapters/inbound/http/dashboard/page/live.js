// Where the figures come from: a stream (fetch, because an EventSource cannot send a key), polling where that fails.

import { credentials, currentKey } from "./key.js";

const POLL_EVERY = 2000;
const SILENT_AFTER = 6000; // the stream tells something every second
const POLLS_BETWEEN_STREAMS = 5;

const ASK_FOR = 15000;

class KeyNeeded extends Error {}

class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/**
 * Watch for ever.
 * @param show is given the whole state or some of its sections
 * @param tell is given a mode (live, polling, offline, locked) and, offline, since when
 * @param askForKey is given why, and resolves once there is another key
 */
export async function watch(show, tell, askForKey) {
  for (;;) {
    await untilVisible();
    try {
      if (await stream(show, tell)) continue; // its time is up: the next one shows the key again
    } catch (problem) {
      if (problem instanceof KeyNeeded) {
        tell("locked");
        await askForKey(problem.message);
        continue;
      }
    }
    try {
      await poll(show, tell);
    } catch {
      // a key is needed now: the stream will say so
    }
  }
}

async function stream(show, tell) {
  const cut = new AbortController();
  const leave = () => document.hidden && cut.abort();
  let silence;
  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(() => cut.abort(), SILENT_AFTER);
  };
  document.addEventListener("visibilitychange", leave);
  heard();
  try {
    const answer = await ask("dashboard/stream", cut.signal);
    const began = performance.now();
    for await (const message of messages(answer.body)) {
      heard();
      show(parse(message));
      tell("live");
    }
    return performance.now() - began > SILENT_AFTER;
  } finally {
    clearTimeout(silence);
    document.removeEventListener("visibilitychange", leave);
    cut.abort();
  }
}

async function poll(show, tell) {
  let failed = false;
  for (let round = 0; round < POLLS_BETWEEN_STREAMS && !document.hidden; round++) {
    try {
      const answer = await ask("dashboard/state", AbortSignal.timeout(POLL_EVERY * 2));
      show(parse(await answer.text()));
      tell("polling");
      if (failed) return; // it is back: so may be the stream
    } catch (problem) {
      if (problem instanceof KeyNeeded) throw problem;
      failed = true;
      tell("offline");
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_EVERY));
  }
}

async function ask(path, signal) {
  const headers = credentials();
  const answer = await fetch(path, { headers, signal, cache: "no-store" });
  if (answer.status === 401 || answer.status === 403) throw new KeyNeeded(await reason(answer));
  if (!answer.ok) throw new Refused(answer.status, await said(answer));
  return answer;
}

/** Ask once for something that no stream tells. */
export async function getJson(path) {
  return parse(await (await ask(path, AbortSignal.timeout(ASK_FOR))).text());
}

async function said(answer) {
  try {
    return (await answer.json()).error.message;
  } catch {
    return `the service answers ${answer.status}`;
  }
}

async function reason(answer) {
  try {
    return currentKey() ? (await answer.json()).error.message : "";
  } catch {
    return "This key was refused.";
  }
}

/** Take server-sent events apart; what is no data is a sign of life at the most. */
async function* messages(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const data = block.split("\n").filter((line) => line.startsWith("data:"));
      if (data.length) yield data.map((line) => line.slice(5)).join("\n");
    }
  }
}

/** Read JSON; sums and prices keep the digits that were sent, where the browser tells them. */
function parse(text) {
  const exact = new Set(["sum", "min_price", "max_price"]);
  return JSON.parse(text, (name, value, context) => (exact.has(name) && value !== null ? (context?.source ?? value) : value));
}

const untilVisible = () =>
  new Promise((resolve) => {
    const look = () => {
      if (document.hidden) return;
      document.removeEventListener("visibilitychange", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
    look();
  });
