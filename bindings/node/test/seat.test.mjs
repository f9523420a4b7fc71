import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Seat, init } from '../index.mjs'
import { HOUR_MS, collected, startSandbox } from './support/options.mjs'

let world
let guard
before(async () => {
  world = await startSandbox({ seats: 2 })
  guard = await init(world.fresh({ seatLingerMs: 0 }))
})
after(async () => {
  await guard[Symbol.asyncDispose]()
  await world.sandbox.stop()
})

const inUse = async () => (await world.sandbox.seats()).pools.find((pool) => pool.name === 'Seats').inUse

test('a seat is held until it is checked in, and a second check in does nothing', async () => {
  const seat = await guard.checkOut('Seats')
  assert.ok(seat instanceof Seat)
  assert.equal(seat.entitlement, 'Seats')
  assert.equal(seat.count, 1)
  assert.ok(seat.number > 0)
  assert.equal(seat.held, true)
  const { nowMs } = await world.sandbox.clock()
  assert.ok(seat.expiresMs > nowMs && seat.expiresMs <= nowMs + HOUR_MS, `${seat.expiresMs}`)
  assert.equal(await inUse(), 1)
  await seat.checkIn()
  assert.equal(seat.held, false)
  assert.equal(await inUse(), 0)
  await seat.checkIn()
})

test('a held seat stays held through the hours', async () => {
  const seat = await guard.checkOut('Seats')
  await world.sandbox.advance(5 * HOUR_MS, { stepMs: HOUR_MS / 4 })
  assert.equal(seat.held, true)
  assert.equal(await inUse(), 1)
  await seat.checkIn()
})

test('asyncDispose checks in', async () => {
  const seat = await guard.checkOut('Seats', { count: 2 })
  assert.equal(seat.count, 2)
  assert.equal(await inUse(), 2)
  await seat[Symbol.asyncDispose]()
  assert.equal(await inUse(), 0)
})

test('when all are taken the error says to try again', async () => {
  const seats = await guard.checkOut('Seats', { count: 2 })
  await assert.rejects(guard.checkOut('Seats', { timeoutMs: 200 }), { code: 'NO_SEAT', kind: 'retry', retryable: true })
  await seats.checkIn()
})

test('a promise that waits has the seat that is given back', async () => {
  const seats = await guard.checkOut('Seats', { count: 2 })
  let taken = 0
  const waiting = guard.checkOut('Seats', { count: 2 }).then((seat) => ((taken = seat.count), seat))
  await new Promise((resolve) => setTimeout(resolve, 200))
  assert.equal(taken, 0)
  await seats.checkIn()
  const seat = await waiting
  assert.equal(seat.held, true)
  assert.equal(await inUse(), 2)
  await seat.checkIn()
})

test('an aborted wait takes no seat', async () => {
  const seats = await guard.checkOut('Seats', { count: 2 })
  const reason = new Error('the customer left')
  const controller = new AbortController()
  const waiting = guard.checkOut('Seats', { signal: controller.signal, timeoutMs: 60_000 })
  setTimeout(() => controller.abort(reason), 100)
  await assert.rejects(waiting, reason)
  await assert.rejects(guard.checkOut('Seats', { signal: controller.signal }), reason)
  await seats.checkIn()
  await world.sandbox.advance(120_000, { stepMs: 5_000 })
  assert.equal(await inUse(), 0)
  await assert.rejects(guard.checkOut('Seats', { signal: 5 }), { code: 'INVALID_ARGUMENT', message: /`signal`/ })
})

test('log-ins in a row share one seat that lingers', async () => {
  const own = await init(world.fresh({ seatLingerMs: 30_000 }))
  const asked = async () =>
    (await world.sandbox.requests({ operation: 'CheckoutLicense' })).filter((call) => call.body.Entitlements[0].Name === 'Seats').length
  const before = await asked()
  for (let round = 0; round < 100; round++) await (await own.checkOut('Seats')).checkIn()
  assert.equal(await asked(), before + 1)
  await own.shutdown()
})

test('bad calls are refused by name', async () => {
  await assert.rejects(guard.checkOut('Chairs'), { code: 'UNKNOWN_ENTITLEMENT', message: /`Chairs`/ })
  await assert.rejects(guard.checkOut('Basic'), { code: 'UNKNOWN_ENTITLEMENT' })
  await assert.rejects(guard.checkOut(), { code: 'INVALID_ARGUMENT', message: /`entitlement`/ })
  await assert.rejects(guard.checkOut('Seats', { count: 0 }), { code: 'INVALID_ARGUMENT', message: /`Seats`/ })
  await assert.rejects(guard.checkOut('Seats', { count: 1.5 }), { code: 'INVALID_ARGUMENT', message: /`count`/ })
  await assert.rejects(guard.checkOut('Seats', { timeoutMs: -1 }), { code: 'INVALID_ARGUMENT', message: /`timeoutMs`/ })
  await assert.rejects(guard.checkOut('Seats', { timeout: 5 }), { code: 'INVALID_ARGUMENT', message: /`timeout`/ })
})

test('a wait that is over leaves no seat behind', async () => {
  await world.sandbox.fault({ operation: 'CheckoutLicense', kind: 'delay', delayMs: 600, times: 1 })
  await assert.rejects(guard.checkOut('Seats', { timeoutMs: 100 }), { code: 'TIMED_OUT', retryable: true })
  for (let round = 0; round < 200; round++) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    const calls = await world.sandbox.requests({ operation: 'CheckInLicense' })
    if (calls.length > 0 && (await inUse()) === 0) break
  }
  assert.equal(await inUse(), 0)
})

test('a forgotten seat is checked in when it is collected', async () => {
  await (async () => {
    await guard.checkOut('Seats')
    assert.equal(await inUse(), 1)
  })()
  await collected(async () => (await inUse()) === 0)
  assert.equal(await inUse(), 0)
})

test('shutdown returns the seats, and their check in is quiet then', async () => {
  const own = await init(world.fresh())
  const seat = await own.checkOut('Seats')
  const report = await own.shutdown()
  assert.equal(report.seatsReturned, 1)
  assert.equal(seat.held, false)
  assert.equal(await inUse(), 0)
  await seat.checkIn()
  await assert.rejects(own.checkOut('Seats'), { code: 'SHUT_DOWN' })
})
