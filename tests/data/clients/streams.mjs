// Clients of server-sent events that are none of a browser's: `node streams.mjs CLIENT SERVICE KEY`, in a folder with
// node_modules. Each message that the client makes is a line of JSON; it comes again after each break.

import { createRequire } from 'node:module'

const load = createRequire(import.meta.url)
const [client, service, key] = process.argv.slice(2)
const headers = { authorization: `Bearer ${key}` }
const feed = `${service}/catalog/changes`
const kinds = ['listed', 'changed', 'withdrawn', 'relisted', 'superseded'].map((kind) => `marquee.plan.${kind}.v1`)

function say(id, event, data) {
  console.log(JSON.stringify({ id, event, data }))
}

if (client === 'fetch-event-source') {
  // It knows browsers only: it looks whether the page is hidden, and takes its timers from the window.
  globalThis.window = globalThis
  globalThis.document = { hidden: false, addEventListener() {}, removeEventListener() {} }
  const { fetchEventSource } = load('@microsoft/fetch-event-source')
  const onclose = () => { throw new Error('the stream ended') }
  await fetchEventSource(feed, { headers, onclose, onerror() {}, onmessage: ({ id, event, data }) => say(id, event, data) })
} else {
  // It says no header of its own here, so that it is like a browser's: a token is in the URL, and the last id later.
  const { EventSourcePolyfill } = load('event-source-polyfill')
  const response = await fetch(`${service}/stream-tokens`, { method: 'POST', headers })
  const { token } = await response.json()
  const source = new EventSourcePolyfill(`${feed}?token=${token}`)
  for (const kind of ['message', ...kinds]) {
    source.addEventListener(kind, ({ lastEventId, type, data }) => say(lastEventId, type, data))
  }
}
