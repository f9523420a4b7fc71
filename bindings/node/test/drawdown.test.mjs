import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { init } from '../index.mjs'
import { options, startSandbox } from './support/options.mjs'

let world
let guard
before(async () => {
  world = await startSandbox({ credits: 100 })
  guard = await init(world.fresh({ entitlements: [...options.entitlements, { name: 'Credits', kind: 'drawdown' }] }))
})
after(async () => {
  await guard[Symbol.asyncDispose]()
  await world.sandbox.stop()
})

const drawn = async () => (await world.sandbox.bill()).drawn.reduce((sum, each) => sum + Number(each.quantity), 0)
const credits = async () => (await guard.account()).find((account) => account.dimension === 'Credits')
const delay = () => world.sandbox.fault({ operation: 'CheckoutLicense', kind: 'delay', delayMs: 600, times: 1 })

test('units are booked and accounted for', async () => {
  assert.equal(await guard.drawDown('Credits', 5), undefined)
  await guard.drawDown('Credits', 2, { timeoutMs: 5000 })
  const { added, open, pending, delivered, disputed } = await credits()
  assert.deepEqual({ added, open, pending, delivered, disputed }, { added: 7, open: 0, pending: 0, delivered: 7, disputed: 0 })
  assert.equal(await drawn(), 7)
})

test('more than is left is refused for good', async () => {
  const refused = { code: 'EXHAUSTED', number: 308, kind: 'entitlement', retryable: false, message: /`Credits`/ }
  await assert.rejects(guard.drawDown('Credits', 101), refused)
})

test('bad calls are refused by name', async () => {
  for (const name of ['Chairs', 'Seats', 'Basic']) {
    await assert.rejects(guard.drawDown(name, 1), { code: 'UNKNOWN_ENTITLEMENT', message: /`Credits`/ })
  }
  await assert.rejects(guard.drawDown(), { code: 'INVALID_ARGUMENT', message: /`entitlement`/ })
  await assert.rejects(guard.drawDown('Credits'), { code: 'INVALID_ARGUMENT', message: /`quantity`/ })
  await assert.rejects(guard.drawDown('Credits', 0), { code: 'INVALID_ARGUMENT', message: /`Credits`/ })
  await assert.rejects(guard.drawDown('Credits', -1), { code: 'INVALID_ARGUMENT', message: /`quantity`/ })
  await assert.rejects(guard.drawDown('Credits', 1.5), { code: 'INVALID_ARGUMENT', message: /`quantity`/ })
  await assert.rejects(guard.drawDown('Credits', 1, { timeoutMs: -1 }), { code: 'INVALID_ARGUMENT', message: /`timeoutMs`/ })
  await assert.rejects(guard.drawDown('Credits', 1, { timeout: 5 }), { code: 'INVALID_ARGUMENT', message: /`timeout`/ })
})

test('units that come too late, or for nobody, serve the next call', async () => {
  const before = await credits()
  await delay()
  await assert.rejects(guard.drawDown('Credits', 5, { timeoutMs: 100 }), { code: 'TIMED_OUT', retryable: true })
  await guard.drawDown('Credits', 5)
  await delay()
  await assert.rejects(guard.drawDown('Credits', 3, { signal: AbortSignal.timeout(100) }), { name: 'TimeoutError' })
  assert.equal((await credits()).delivered, before.delivered + 5)
  await guard.drawDown('Credits', 3)
  const { added, open, delivered } = await credits()
  assert.deepEqual({ added, open, delivered }, { added: before.added + 8, open: 0, delivered: before.delivered + 8 })
  assert.equal(await drawn(), added)
})

test('a draw that is aborted when its answer is there is taken back', async () => {
  const before = await credits()
  const controller = new AbortController()
  const waiting = guard.drawDown('Credits', 4, { signal: controller.signal })
  const until = Date.now() + 700
  while (Date.now() < until); // the event loop stands, and the answer comes meanwhile
  controller.abort()
  await assert.rejects(waiting, { name: 'AbortError' })
  assert.equal((await credits()).delivered, before.delivered)
  await guard.drawDown('Credits', 4)
  assert.equal((await credits()).delivered, before.delivered + 4)
  assert.equal(await drawn(), (await credits()).added)
})

test('the event loop runs while a draw waits', async () => {
  await delay()
  let ticks = 0
  const ticker = setInterval(() => ticks++, 5)
  await guard.drawDown('Credits', 1)
  clearInterval(ticker)
  assert.ok(ticks > 20, `${ticks}`)
})

test('after a shutdown nothing is drawn', async () => {
  await guard.shutdown()
  await assert.rejects(guard.drawDown('Credits', 1), { code: 'SHUT_DOWN' })
})
