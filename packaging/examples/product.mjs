// A product in Node that is sold on AWS Marketplace: it counts what its customers do, gives each
// a seat, and draws prepaid credits.

import { createInterface } from 'node:readline'
import { initFromJson } from '../../bindings/node/index.mjs' // in your product: 'mpguard'

const say = (line) => process.stdout.write(`${line}\n`)

/** Each line of input is a batch of its customers' work: `<requests> <megabytes>`. */
async function work(guard) {
  const requests = guard.meter('requests')
  const megabytes = guard.meter('megabytes')
  for await (const line of createInterface({ input: process.stdin })) {
    const [requestCount, megabyteCount] = line.split(' ').map(Number)
    // The customer's seat. It lingers for a moment, so that log-ins in quick succession share one call to AWS.
    const seat = await guard.checkOut('Seats', { timeoutMs: 30_000 })
    const credits = Math.ceil(requestCount / 10)
    if (credits > 0) await guard.drawDown('Credits', credits) // the work starts when they are booked, never before
    requests.add(requestCount)
    megabytes.add(megabyteCount)
    await seat.checkIn()
    say(`worked: ${requestCount} ${megabyteCount}, ${credits} credits`)
  }
}

async function main() {
  const guard = await initFromJson(process.env.PRODUCT_CONFIG ?? '{}', {
    // One at a time; each carries the whole new state, so there is nothing to add up.
    onEvent: (event) => say(`callback: ${event.kind}: ${event.text}`),
  })
  guard.require()
  say(`licensed: tier ${guard.has('Premium') ? 'Premium' : 'Basic'}`)

  const seat = await guard.checkOut('Seats', { timeoutMs: 30_000 })
  say('seat: held')
  try {
    await work(guard)
  } finally {
    await seat.checkIn() // with TypeScript or Node 24: `await using seat = …` above does this
  }

  const report = await guard.shutdown({ deadlineMs: 30_000 })
  say(`account: ${JSON.stringify(await guard.account())}`)
  say(`report: ${JSON.stringify(report)}`)
}

main().catch((error) => {
  process.stderr.write(`error: ${error.code ?? error.name}: ${error.message}\n`)
  process.exitCode = 1
})
