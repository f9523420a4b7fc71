// What the tests share: a sandbox with one product and one license, and options that fit it.

import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Sandbox } from '../../sandbox.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..')

export const HOUR_MS = 3_600_000
export const MINUTE_MS = 60_000

/** Options that are right in themselves; no sandbox answers there. */
export const options = {
  productCode: '3xmpl',
  pricing: 'usage+contract',
  trustedProducts: [{ code: '3xmpl', sku: 'prod-3xmpl' }],
  dimensions: [{ name: 'requests' }, { name: 'hosts', kind: 'max' }],
  entitlements: [
    { name: 'Basic', kind: 'tier' },
    { name: 'Premium', kind: 'tier' },
    { name: 'Seats', kind: 'floating' },
  ],
  startupTimeoutMs: 20_000,
}

const entitlements = (tier, seats, credits) => [
  { name: tier, unit: 'None', value: 'Enabled' },
  { name: 'Seats', unit: 'Count', maxCount: seats, allowCheckIn: true },
  ...(credits === undefined ? [] : [{ name: 'Credits', unit: 'Count', maxCount: credits }]),
]

/** A sandbox whose clock stands, with the product of `options` and a license of it. */
export async function startSandbox({ tier = 'Basic', seats = 2, credits, ...more } = {}) {
  const binary = process.env.MPGUARD_BIN ?? join(root, 'target', 'debug', 'mpguard')
  const sandbox = await Sandbox.start({ binary, clock: 'frozen', start: '2026-01-01T10:00:00Z', ...more })
  await sandbox.createProduct({
    productCode: '3xmpl',
    productSku: 'prod-3xmpl',
    dimensions: ['requests', 'hosts'],
  })
  const license = await sandbox.createLicense({
    productSku: 'prod-3xmpl',
    entitlements: entitlements(tier, seats, credits),
    endMs: Date.parse('2027-01-01T00:00:00Z'),
  })
  const upgrade = (to, count) => sandbox.upgrade(license.id, { entitlements: entitlements(to, count) })
  let tasks = 0
  /** Options for a task of its own. */
  const fresh = (changes = {}) => ({ ...options, sandbox: sandbox.task(`task-${++tasks}`), ...changes })
  return { sandbox, license, upgrade, fresh }
}

/** The next event of this name. A live guard does not keep the process alive, so a timer does. */
export function heard(guard, name) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no \`${name}\` within 20 s`)), 20_000)
    guard.once(name, (event) => {
      clearTimeout(timer)
      resolve(event)
    })
  })
}

/** Collects garbage until `done`; the engine gives no promise about when. */
export async function collected(done) {
  const { setFlagsFromString } = await import('node:v8')
  const { runInNewContext } = await import('node:vm')
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc')
  for (let round = 0; round < 100 && !(await done()); round++) {
    await new Promise((resolve) => setTimeout(resolve, 20)) // what `done` looked at is kept until its job ends
    gc()
  }
}
