import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { Guard, MpguardError, init, initFromJson } from '../index.mjs'
import { startSandbox } from './support/options.mjs'

let world
before(async () => (world = await startSandbox()))
after(() => world.sandbox.stop())

test('init gives a licensed guard with a snapshot of the license', async () => {
  const guard = await init(world.fresh())
  assert.equal(guard.verdict, 'licensed')
  guard.require()
  const { sinceMs, text, ...license } = guard.license
  assert.ok(sinceMs >= Date.parse('2026-01-01T10:00:00Z'), `since ${sinceMs}`)
  assert.equal(typeof text, 'string')
  const [, seats] = license.entitlements
  assert.ok(seats.consumed === null || seats.consumed === 0) // null until the consumption was read
  assert.deepEqual(license, {
    verdict: 'licensed',
    reason: 'entitled',
    untilMs: license.untilMs,
    sandbox: true,
    entitlements: [
      { name: 'Basic', unit: 'None', value: 'Enabled', maxCount: null, consumed: null },
      { name: 'Seats', unit: 'Count', value: null, maxCount: 2, consumed: seats.consumed },
    ],
    licenseArn: world.license.licenseArn,
    licenseVersion: '1',
  })
  assert.ok(guard.has('Basic'))
  assert.ok(!guard.has('Premium'))
  await guard.shutdown()
})

test('JSON with the keys of the other languages starts the same guard', async () => {
  const seen = []
  const json = JSON.stringify({
    product_code: '3xmpl',
    pricing: 'usage',
    dimensions: [{ name: 'requests' }],
    sandbox: world.sandbox.task('shared'),
  })
  const guard = await initFromJson(json, { onEvent: (event) => seen.push(event.kind) })
  assert.equal(guard.verdict, 'licensed')
  await guard.shutdown()
  assert.equal(seen[0], 'verdict_changed')
})

/** Options of a product that nobody has bought. */
async function unsold() {
  await world.sandbox.createProduct({ productCode: 'unsold', dimensions: ['requests'], subscribed: false })
  return world.fresh({
    productCode: 'unsold',
    pricing: 'usage',
    trustedProducts: [{ code: 'unsold' }],
    dimensions: [{ name: 'requests' }],
    entitlements: [],
  })
}

test('a denial rejects with its code and what the buyer must do', async () => {
  await assert.rejects(init(await unsold()), (error) => {
    assert.ok(error instanceof MpguardError)
    assert.equal(error.code, 'NOT_ENTITLED')
    assert.equal(error.number, 301)
    assert.equal(error.kind, 'entitlement')
    assert.equal(error.retryable, false)
    return true
  })
})

test('without an answer the guard is live and pending, or init fails, as the seller chose', async () => {
  const { id } = await world.sandbox.fault({ operation: '*', kind: 'reset', times: -1, task: 'offline' })
  const offline = { sandbox: world.sandbox.task('offline'), startupTimeoutMs: 300 }
  await assert.rejects(init(world.fresh({ ...offline, startupPending: 'fail' })), {
    code: 'PENDING',
    retryable: true,
    message: /set startupPending to/,
  })
  const guard = await init(world.fresh(offline))
  assert.equal(guard.verdict, 'pending')
  assert.equal(guard.has('Basic'), false)
  assert.throws(() => guard.require(), { code: 'PENDING', retryable: true })
  await guard.shutdown({ deadlineMs: 500 })
  await world.sandbox.clearFaults()
  assert.ok(id)
})

test('the stack of a rejection leads to the line that waited', async () => {
  const options = await unsold()
  async function startOfMyProduct() {
    return await init(options)
  }
  await assert.rejects(startOfMyProduct(), (error) => {
    assert.match(error.stack, /startOfMyProduct/)
    return true
  })
})

test('only init makes a guard', () => {
  assert.throws(() => new Guard(), { code: 'INVALID_ARGUMENT', message: /await init/ })
})

test('shutdown reports where every count is, once', async () => {
  const guard = await init(world.fresh())
  guard.meter('requests').add(5)
  const report = await guard.shutdown({ deadlineMs: 10_000 })
  assert.equal(report.recorded, 5)
  assert.equal(report.pending, 0)
  assert.equal(report.mayBeLost, false)
  const requests = report.accounts.find((account) => account.dimension === 'requests')
  assert.equal(requests.added, 5)
  assert.equal(requests.delivered, 5)
  await assert.rejects(guard.shutdown(), { code: 'SHUT_DOWN' })
  await guard[Symbol.asyncDispose]()
  assert.equal(guard.verdict, 'pending')
  assert.equal(guard.license.reason, 'shut_down')
  assert.deepEqual(await guard.account(), report.accounts)
  assert.throws(() => guard.meter('requests'), { code: 'SHUT_DOWN' })
})

test('asyncDispose shuts down', async () => {
  const guard = await init(world.fresh())
  await guard[Symbol.asyncDispose]()
  assert.equal(guard.license.reason, 'shut_down')
})

test('accounts and reports are exact as bigint', async () => {
  const guard = await init(world.fresh())
  const big = 2n ** 53n + 1n
  guard.meter('requests').add(big)
  const [exact] = await guard.account({ bigint: true })
  assert.equal(exact.added, big)
  assert.equal(exact.open, big)
  assert.equal(exact.dimension, 'requests')
  const [rounded] = await guard.account()
  assert.equal(rounded.added, Number(big))
  const report = await guard.shutdown({ bigint: true, deadlineMs: 5000 })
  assert.equal(report.accounts[0].added, big)
  assert.equal(typeof report.seatsReturned, 'bigint')
})

test('flush sends ended hours and leaves the running one', async () => {
  const guard = await init(world.fresh())
  guard.meter('requests').add(2)
  assert.deepEqual(await guard.flush(), { recorded: 0, pending: 0 })
  const [account] = await guard.account()
  assert.equal(account.open, 2)
  await guard.shutdown()
})

test('stats count calls and say where usage is kept', async () => {
  const guard = await init(world.fresh())
  const stats = guard.stats()
  assert.ok(stats.calls >= 1)
  assert.equal(stats.listenerFailures, 0)
  assert.ok(['durable', 'container', 'memory'].includes(stats.storage))
  assert.equal(stats.sandbox, true)
  await guard.shutdown()
})

test('arguments of the wrong kind are refused with their name', async () => {
  const guard = await init(world.fresh())
  const wrong = async (call, ...parts) =>
    assert.rejects(async () => call(), (error) => {
      assert.equal(error.code, 'INVALID_ARGUMENT', error.stack)
      for (const part of parts) assert.ok(error.message.includes(part), `\`${error.message}\` does not say \`${part}\``)
      return true
    })
  await wrong(() => guard.has(7), '`feature`', '`7`')
  await wrong(() => guard.meter(), '`dimension`', '`undefined`')
  await wrong(() => guard.meter('requests', { team: 7 }), '`tags.team`', '`7`')
  await wrong(() => guard.meter('requests', 'team'), '`tags`')
  await wrong(() => guard.shutdown({ deadline: 7 }), '`deadline`', '`deadlineMs`')
  await wrong(() => guard.shutdown({ deadlineMs: -1 }), '`deadlineMs`', '`-1`')
  await wrong(() => guard.shutdown(5000), '`options`')
  await wrong(() => guard.flush({ deadlineMs: NaN }), '`deadlineMs`', '`NaN`')
  await wrong(() => guard.account({ bigint: 1 }), '`bigint`')
  await guard.shutdown()
})

test('many waits do not starve the pool that files and DNS share', async () => {
  const guard = await init(world.fresh())
  await world.sandbox.fault({ operation: 'CheckoutLicense', kind: 'delay', delayMs: 1500, times: -1 })
  let waiting = 32
  const waits = Array.from({ length: waiting }, () =>
    guard.checkOut('Seats', { timeoutMs: 1000 }).catch((error) => error.code).finally(() => waiting--),
  )
  await readFile(new URL(import.meta.url))
  assert.equal(waiting, 32, 'the file was read while all of them waited')
  const codes = await Promise.all(waits)
  assert.ok(codes.every((code) => code === 'TIMED_OUT'), `${codes}`)
  await world.sandbox.clearFaults()
  await guard.shutdown()
})
