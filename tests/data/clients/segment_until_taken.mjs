// Segment's own library tells of visitors that become customers until its input ends, each call until it is taken:
// `node segment_until_taken.mjs HOST KEY SEED`. Says on a line of JSON what it told, once everything is taken.

import { Analytics } from '@segment/analytics-node'

const [host, writeKey, seed] = process.argv.slice(2)
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

async function untilTaken(url, options) {
  for (;;) {
    const taken = await fetch(url, { ...options, signal: AbortSignal.timeout(10000) }).catch(() => null)
    if (taken?.ok) return taken
    await pause(50)
  }
}

let ending = false
process.stdin.on('end', () => (ending = true)).resume()

const told = []
const segment = new Analytics({ writeKey, host, flushAt: 20, flushInterval: 200, httpClient: untilTaken, httpRequestTimeout: 600000 })
const first = Date.UTC(2026, 2, 1)
for (let number = 0; !ending; number++) {
  const timestamp = new Date(first + ((number * 7919 + Number(seed)) % (20 * 86400)) * 1000)
  const visitor = `visitor-${number % 40}`
  const customer = `customer-${number % 40 % 25}`
  if (number % 11 === 5) {
    segment.identify({ userId: customer, anonymousId: visitor, timestamp })
    told.push({ type: '$identify', user_id: customer, anonymous_id: visitor, at: timestamp })
  } else if (number % 97 === 50) {
    segment.alias({ userId: customer, previousId: `old-${customer}`, timestamp })
    told.push({ type: '$alias', user_id: customer, anonymous_id: `old-${customer}`, at: timestamp })
  } else if (number % 3 === 0) {
    const userId = number % 2 ? customer : `old-${customer}`
    segment.track({ userId, event: 'Order Completed', properties: { revenue: 12.5 }, timestamp })
    told.push({ type: 'order_completed', user_id: userId, value: '12.5', at: timestamp })
  } else {
    segment.page({ anonymousId: visitor, timestamp })
    told.push({ type: 'page_view', anonymous_id: visitor, at: timestamp })
  }
  await pause(10)
}
await segment.closeAndFlush({ timeout: 120000 })
process.stdout.write(JSON.stringify(told), () => process.exit()) // a timer of the library would keep it
