// The CloudEvents SDK for JavaScript sends an event in each mode: `node cloud_events.mjs HOST KEY`.

import { CloudEvent, HTTP } from 'cloudevents'

const [host, key] = process.argv.slice(2)
const time = '2026-01-05T14:00:00+02:00'
const made = (id, more) =>
  new CloudEvent({ id, source: '/shop/js', type: 'ticket.bought', subject: 'ana', time, data: { value: 12.5 }, ...more })

async function send(headers, body) {
  const response = await fetch(`${host}/events`, { method: 'POST', headers: { ...headers, 'X-API-Key': key }, body })
  return [response.status, await response.json()]
}

const structured = HTTP.structured(made('1'))
const binary = HTTP.binary(made('2', { region: 'north' }))
const bytes = HTTP.binary(made('3', { datacontenttype: 'image/png', data: Uint8Array.from([1, 2, 3]) }))
const batch = ['1', '2', '4'].map((id) => HTTP.structured(made(id)).body)
const answers = [
  await send(structured.headers, structured.body),
  await send(binary.headers, binary.body),
  await send(bytes.headers, bytes.body),
  await send({ 'content-type': 'application/cloudevents-batch+json' }, `[${batch.join()}]`),
]
console.log(JSON.stringify(answers))
