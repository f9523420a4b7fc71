// Mistakes that the types must find: without an error below such a comment, tsc fails.
import { Guard, Meter, MpguardError, Seat, doctor, init } from 'mpguard'

// @ts-expect-error a required option is missing
await init({ productCode: '3xmpl' })
// @ts-expect-error options are needed
await init()
// @ts-expect-error an option of C
await init({ productCode: '3xmpl', pricing: 'usage', grace_ms: 5 })
// @ts-expect-error no such pricing
await init({ productCode: '3xmpl', pricing: 'barter' })
// @ts-expect-error a number is needed
await init({ productCode: '3xmpl', pricing: 'usage', graceMs: '5' })
// @ts-expect-error an entry has no such member
await init({ productCode: '3xmpl', pricing: 'usage', dimensions: [{ name: 'a', perUnits: 5 }] })
// @ts-expect-error an entitlement needs its kind
await init({ productCode: '3xmpl', pricing: 'contract', entitlements: [{ name: 'Basic' }] })
// @ts-expect-error a required option is missing
await doctor({ productCode: '3xmpl' })
// @ts-expect-error `well` is no status
if ((await doctor()).status === 'well') await doctor()

const guard = await init({ productCode: '3xmpl', pricing: 'usage', dimensions: [{ name: 'a' }] })
// @ts-expect-error no such event
guard.on('license_upgrade', () => {})
// @ts-expect-error `done` is no verdict
if (guard.verdict === 'done') guard.require()
// @ts-expect-error a text is no quantity
guard.meter('a').add('3')
// @ts-expect-error tags are texts
guard.meter('a', { team: 7 })
// @ts-expect-error no such option
await guard.checkOut('Seats', { timeout: 5 })
// @ts-expect-error the quantity is missing
await guard.drawDown('Credits')
// @ts-expect-error milliseconds go into an object
await guard.drawDown('Credits', 1, 5000)
// @ts-expect-error milliseconds go into an object
await guard.shutdown(5000)
// @ts-expect-error numbers without `bigint: true`
const added: bigint = (await guard.account())[0]!.added
// @ts-expect-error a snapshot cannot be changed
guard.license.verdict = 'licensed'
// @ts-expect-error made by init
new Guard()
// @ts-expect-error made by guard.meter
new Meter()
// @ts-expect-error made by guard.checkOut
new Seat()
// @ts-expect-error no such code
new MpguardError('NOPE', 'text')
console.log(added)
