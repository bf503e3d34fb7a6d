// Segment's own library tells of one customer: `node segment.mjs HOST KEY`, in a folder with its node_modules.
// The first batch is sent in gzip, and its answer is lost on the way, so that the library sends it again.

import { gzipSync } from 'node:zlib'
import { Analytics } from '@segment/analytics-node'

const [host, writeKey] = process.argv.slice(2)
const statuses = []

async function lossy(url, { body, headers, ...others }) {
  const packed = { ...others, body: gzipSync(body), headers: { ...headers, 'Content-Encoding': 'gzip' } }
  const response = await fetch(url, packed)
  statuses.push(response.status)
  if (statuses.length === 1) throw new Error('the answer was lost')
  return response
}

const failures = []
const timestamp = new Date('2026-01-05T12:00:00Z')
const user = { userId: 'ana', timestamp }

const segment = new Analytics({ writeKey, host, flushAt: 6, httpClient: lossy })
segment.on('error', (error) => failures.push(String(error.reason ?? error)))
segment.page({ anonymousId: 'v-1', timestamp, name: 'Home', properties: { url: 'https://shop.example/' } })
segment.identify({ ...user, anonymousId: 'v-1', traits: { plan: 'gold' } })
segment.track({ ...user, event: 'Order Completed', properties: { revenue: 12.5, currency: 'EUR' } })
segment.screen({ ...user, name: 'Cart' })
segment.group({ ...user, groupId: 'g-1' })
segment.alias({ userId: 'ana', previousId: 'anna', timestamp })
await segment.flush({ timeout: 20000 })
segment.track({ userId: 'bob', timestamp, event: 'Order Completed', properties: { revenue: '7.25' } })
await segment.closeAndFlush({ timeout: 20000 })

console.log(JSON.stringify({ statuses, failures }))
