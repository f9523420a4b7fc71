import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { init } from '../index.mjs'
import { HOUR_MS, MINUTE_MS, heard, startSandbox } from './support/options.mjs'

let world
before(async () => (world = await startSandbox({ tier: 'Basic', seats: 2 })))
after(() => world.sandbox.stop())

test('an upgrade arrives as an event with both states, and at once in the snapshot', async () => {
  const guard = await init(world.fresh())
  const upgraded = heard(guard, 'license_upgraded')
  await world.upgrade('Premium', 5)
  await world.sandbox.advance(20 * MINUTE_MS, { stepMs: MINUTE_MS })
  const event = await upgraded
  assert.equal(event.kind, 'license_upgraded')
  assert.equal(event.topic, 'license')
  assert.equal(event.sandbox, true)
  assert.ok(event.old.entitlements.some((entitlement) => entitlement.name === 'Basic'))
  assert.ok(event.license.entitlements.some((entitlement) => entitlement.name === 'Premium'))
  assert.ok(guard.has('Premium'))
  assert.ok(!guard.has('Basic'))
  assert.equal(guard.license.entitlements.find((entitlement) => entitlement.name === 'Seats').maxCount, 5)
  assert.equal(guard.license.licenseVersion, '2')
  await guard.shutdown()
})

test('a suspended license denies, with the reason, and require throws what to tell the buyer', async () => {
  const guard = await init(world.fresh())
  const suspended = heard(guard, 'license_suspended')
  await world.sandbox.changeLicense(world.license.id, 'suspend')
  await world.sandbox.advance(HOUR_MS, { stepMs: MINUTE_MS })
  await suspended
  assert.equal(guard.verdict, 'denied')
  assert.equal(guard.license.reason, 'suspended')
  assert.ok(!guard.has('Premium'))
  assert.throws(() => guard.require(), { code: 'LICENSE_ENDED', kind: 'entitlement' })
  await world.sandbox.changeLicense(world.license.id, 'resume')
  await world.sandbox.advance(HOUR_MS, { stepMs: MINUTE_MS })
  guard.require()
  await guard.shutdown()
})
