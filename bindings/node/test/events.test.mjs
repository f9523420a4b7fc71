import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { init } from '../index.mjs'
import { MINUTE_MS, heard, startSandbox } from './support/options.mjs'

const { EventQueue } = createRequire(import.meta.url)('../lib/event.js')

let world
before(async () => (world = await startSandbox({ tier: 'Basic', seats: 2 })))
after(() => world.sandbox.stop())

let version = 2
/** Changes the license so that every guard has something to announce. */
async function upgrade() {
  await world.upgrade('Premium', ++version)
  await world.sandbox.advance(20 * MINUTE_MS, { stepMs: MINUTE_MS })
}

const settled = async (guard) => guard.listenerCount('event') && sleep(50)

test('onEvent hears the first verdict and everything after, in order', async () => {
  const seen = []
  const guard = await init(world.fresh({ onEvent: (event) => seen.push(event) }))
  const upgraded = heard(guard, 'license_upgraded')
  await upgrade()
  await upgraded
  assert.deepEqual(seen.map((event) => event.kind).slice(0, 2), ['verdict_changed', 'license_upgraded'])
  assert.ok(seen[0].sequence < seen[1].sequence)
  assert.equal(seen[0].old.verdict, 'pending')
  assert.equal(seen[0].license.verdict, 'licensed')
  assert.equal(seen[0].sandbox, true)
  assert.equal(typeof seen[0].timeMs, 'number')
  assert.equal(typeof seen[0].text, 'string')
  await guard.shutdown()
})

test('each event comes as `event` and under its kind; once and off work', async () => {
  const guard = await init(world.fresh())
  const counts = { event: 0, kind: 0, once: 0, off: 0 }
  const off = () => counts.off++
  guard.on('event', (event) => event.kind === 'license_upgraded' && counts.event++)
  guard.on('license_upgraded', () => counts.kind++)
  guard.once('license_upgraded', () => counts.once++)
  guard.on('license_upgraded', off)
  guard.off('license_upgraded', off)
  for (let round = 0; round < 2; round++) {
    const upgraded = heard(guard, 'license_upgraded')
    await upgrade()
    await upgraded
  }
  assert.deepEqual(counts, { event: 2, kind: 2, once: 1, off: 0 })
  await guard.shutdown()
})

test('a listener that fails stops nobody, is counted, and warned of', async () => {
  const warnings = []
  const onWarning = (warning) => warnings.push(warning)
  process.on('warning', onWarning)
  const guard = await init(world.fresh())
  let reached = 0
  guard.on('license_upgraded', () => {
    throw new Error('first listener')
  })
  guard.on('license_upgraded', async () => {
    throw new Error('second listener')
  })
  guard.on('license_upgraded', () => reached++)
  for (let round = 0; round < 2; round++) {
    const upgraded = heard(guard, 'license_upgraded')
    await upgrade()
    await upgraded
  }
  await sleep(20)
  process.off('warning', onWarning)
  assert.equal(reached, 2, 'later listeners and later events still arrive')
  assert.equal(guard.stats().listenerFailures, 4)
  assert.equal(warnings.length, 4)
  assert.ok(warnings.every((warning) => warning.code === 'MPGUARD_LISTENER_FAILED'))
  assert.match(warnings[0].message, /license_upgraded.*first listener/)
  assert.match(warnings[1].message, /second listener/)
  await guard.shutdown()
})

test('a listener may call everything, shutdown included, and nothing runs after it', async () => {
  const guard = await init(world.fresh())
  let calls = 0
  const report = new Promise((resolve, reject) => {
    const alive = setTimeout(() => reject(new Error('no event')), 20_000)
    guard.on('license_upgraded', () => {
      calls++
      guard.require()
      guard.meter('requests').add(1)
      clearTimeout(alive)
      guard.shutdown().then(resolve, reject)
    })
  })
  await upgrade()
  assert.equal((await report).recorded, 1)
  await upgrade()
  await sleep(50)
  assert.equal(calls, 1)
})

test('the iterator gives the current state first, then what changes, and ends with the guard', async () => {
  const guard = await init(world.fresh())
  await settled(guard)
  await sleep(50)
  const kinds = []
  const reading = (async () => {
    for await (const event of guard.events()) kinds.push(event.kind)
    return 'ended'
  })()
  const upgraded = heard(guard, 'license_upgraded')
  await upgrade()
  await upgraded
  await guard.shutdown()
  assert.equal(await reading, 'ended')
  assert.equal(kinds[0], 'verdict_changed')
  assert.ok(kinds.includes('license_upgraded'), `${kinds}`)
  const late = []
  for await (const event of guard.events()) late.push(event.kind)
  assert.ok(late.length > 0, 'after the end there is the last state, then the end')
})

test('leaving the loop ends the iterator, and the guard forgets it', async () => {
  const guard = await init(world.fresh())
  await sleep(50)
  const events = guard.events()
  for await (const event of events) {
    assert.equal(event.kind, 'verdict_changed')
    break
  }
  assert.deepEqual(await events.next(), { value: undefined, done: true })
  await guard.shutdown()
})

test('a slow reader holds the newest event of each topic only', async () => {
  let ended = 0
  const queue = new EventQueue([{ topic: 'verdict', sequence: 1 }], () => ended++)
  queue.push({ topic: 'license', sequence: 2 })
  queue.push({ topic: 'seat', sequence: 3 })
  queue.push({ topic: 'license', sequence: 4 })
  queue.push({ topic: 'metering', sequence: 5 })
  queue.end()
  const read = []
  for await (const event of queue) read.push(event.sequence)
  assert.deepEqual(read, [1, 3, 4, 5])
  assert.ok(ended >= 1)
})

test('readers that wait are served in order and all told of the end', async () => {
  const queue = new EventQueue([], () => {})
  const reads = [queue.next(), queue.next(), queue.next()]
  queue.push({ topic: 'seat', sequence: 1 })
  queue.push({ topic: 'seat', sequence: 2 })
  queue.end()
  const answers = await Promise.all(reads)
  assert.deepEqual(answers.map(({ value, done }) => value?.sequence ?? done), [1, 2, true])
})

test('while the event loop stands still, the newest state waits and nothing piles up', async () => {
  const gate = new SharedArrayBuffer(4)
  const workerData = { options: world.fresh(), gate, lastVersion: String(version + 4 - 1) }
  const worker = new Worker(new URL('programs/blocked.mjs', import.meta.url), { workerData })
  assert.deepEqual(await once(worker, 'message'), ['ready'])
  for (let round = 0; round < 4; round++) await upgrade()
  Atomics.store(new Int32Array(gate), 0, 1)
  Atomics.notify(new Int32Array(gate), 0)
  const [{ kinds, replaced }] = await once(worker, 'message')
  // One was on its way when the loop stopped; of the other three only the newest is left.
  assert.deepEqual(kinds, ['verdict_changed', 'license_upgraded', 'license_upgraded'])
  assert.equal(replaced, 2)
  await once(worker, 'exit')
})
