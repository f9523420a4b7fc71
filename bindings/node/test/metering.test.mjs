import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Meter, init } from '../index.mjs'
import { HOUR_MS, collected, startSandbox } from './support/options.mjs'

let world
let guard
before(async () => {
  world = await startSandbox()
  guard = await init(world.fresh())
})
after(async () => {
  await guard[Symbol.asyncDispose]()
  await world.sandbox.stop()
})

const added = async () => (await guard.account())[0].added

test('what is no quantity throws, says so, and counts nothing', async () => {
  const { add } = guard.meter('requests')
  const before = await added()
  const refuse = (bad, code, part) =>
    assert.throws(() => add(bad), (error) => {
      assert.equal(error.name, 'MpguardError')
      assert.equal(error.code, code, `${String(bad)}: ${error.message}`)
      for (const word of [part, '`requests`', 'nothing was counted']) {
        assert.ok(error.message.includes(word), `\`${error.message}\` does not say \`${word}\``)
      }
      return true
    })
  refuse(-1, 'QUANTITY_OUT_OF_RANGE', '`-1`')
  refuse(-0.5, 'QUANTITY_OUT_OF_RANGE', '`-0.5`')
  refuse(2 ** 53, 'QUANTITY_OUT_OF_RANGE', '`9007199254740992`')
  refuse(Infinity, 'QUANTITY_OUT_OF_RANGE', '`Infinity`')
  refuse(-Infinity, 'QUANTITY_OUT_OF_RANGE', '`-Infinity`')
  refuse(-1n, 'QUANTITY_OUT_OF_RANGE', 'bigint')
  refuse(2n ** 63n, 'QUANTITY_OUT_OF_RANGE', '`9223372036854775808`')
  refuse(2n ** 64n, 'QUANTITY_OUT_OF_RANGE', 'bigint')
  refuse(1.5, 'INVALID_ARGUMENT', '`1.5`')
  refuse(NaN, 'INVALID_ARGUMENT', '`NaN`')
  refuse('3', 'INVALID_ARGUMENT', '`string`')
  refuse(undefined, 'INVALID_ARGUMENT', '`undefined`')
  refuse(null, 'INVALID_ARGUMENT', '`null`')
  refuse({ valueOf: () => 3 }, 'INVALID_ARGUMENT', '`object`')
  refuse(Symbol('3'), 'INVALID_ARGUMENT', '`symbol`')
  assert.throws(() => add(), { code: 'INVALID_ARGUMENT' })
  assert.equal(await added(), before)
})

test('quantities count exactly: zero, numbers to 2^53 - 1, bigints', async () => {
  const { add } = guard.meter('requests')
  const exact = async () => (await guard.account({ bigint: true }))[0].added
  const before = await exact()
  for (const quantity of [0, -0, 1, 3, 2 ** 32, Number.MAX_SAFE_INTEGER, 0n, 5n, 2n ** 53n + 1n]) add(quantity)
  const sum = 1n + 3n + 2n ** 32n + BigInt(Number.MAX_SAFE_INTEGER) + 5n + 2n ** 53n + 1n
  assert.equal((await exact()) - before, sum)
})

test('the same dimension and tags give the same meter, others give another', () => {
  const meter = guard.meter('requests')
  assert.ok(meter instanceof Meter)
  assert.equal(meter.dimension, 'requests')
  assert.deepEqual(meter.tags, {})
  assert.equal(guard.meter('requests'), meter)
  assert.equal(guard.meter('requests', {}), meter)
  const tagged = guard.meter('requests', { team: 'a', stage: 'b' })
  assert.notEqual(tagged, meter)
  assert.equal(guard.meter('requests', { stage: 'b', team: 'a' }), tagged)
  assert.notEqual(guard.meter('requests', { stage: 'a', team: 'b' }), tagged)
})

test('a level takes set, a sum takes add, and the other one says which', () => {
  assert.throws(() => guard.meter('requests').set(1), { code: 'WRONG_METER_KIND', message: /`add`/ })
  assert.throws(() => guard.meter('hosts').add(1), { code: 'WRONG_METER_KIND', message: /`set`/ })
  guard.meter('hosts').set(4)
})

test('an unknown dimension and bad tags are refused', () => {
  assert.throws(() => guard.meter('seats'), { code: 'UNKNOWN_DIMENSION', message: /`seats`/ })
  const six = Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f'].map((key) => [key, 'x']))
  assert.throws(() => guard.meter('requests', six), { code: 'INVALID_TAG' })
})

test('only a guard makes a meter', () => {
  assert.throws(() => new Meter(), { code: 'INVALID_ARGUMENT' })
})

test('every unit is billed once, split by its tags', async () => {
  const own = await init(world.fresh({ sandbox: world.sandbox.task('billed') }))
  for (let i = 0; i < 1000; i++) own.meter('requests').add(1)
  own.meter('requests', { team: 'red' }).add(7)
  own.meter('hosts').set(4)
  own.meter('hosts').set(2)
  await world.sandbox.advance(2 * HOUR_MS)
  const { records, totals } = await world.sandbox.bill({ task: 'billed' })
  assert.deepEqual(totals, { '3xmpl': { requests: '1007', hosts: '4' } })
  const requests = records.find((record) => record.dimension === 'requests')
  assert.match(JSON.stringify(requests.allocations), /red/)
  const [account] = await own.account()
  assert.equal(account.delivered, 1007)
  await own.shutdown()
  assert.throws(() => own.meter('requests'), { code: 'SHUT_DOWN' })
})

test('a counter kept past shutdown refuses, also when its guard was forgotten', async () => {
  const { add, gone } = await (async () => {
    const own = await init(world.fresh())
    const kept = { add: own.meter('requests').add, gone: new WeakRef(own) }
    await own.shutdown()
    return kept
  })()
  await collected(() => gone.deref() === undefined)
  assert.ok(gone.deref() === undefined, 'a guard that was shut down can be collected')
  assert.throws(() => add(1), { code: 'SHUT_DOWN', message: /nothing was counted/ })
})
