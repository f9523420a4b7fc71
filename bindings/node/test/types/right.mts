// What a seller writes; all of it must compile.
import { Guard, MpguardError, doctor, doctorFromJson, init, initFromJson, type Account, type DoctorReport, type Event, type Finding, type InitOptions, type License, type Verdict } from 'mpguard'
import { Sandbox } from 'mpguard/sandbox'

const settings: { proxy?: string } = {}
const options: InitOptions = {
  productCode: '3xmpl',
  pricing: 'hourly+usage+contract',
  trustedProducts: [{ code: '3xmpl', plan: 'paid', sku: 'prod-1', publicKeys: [{ version: 1, pem: '' }] }],
  dimensions: [{ name: 'requests' }, { name: 'hosts', kind: 'max', perUnit: 1000, ceiling: 5 }],
  entitlements: [
    { name: 'Basic', kind: 'tier' },
    { name: 'Seats', kind: 'floating', unit: 'Count' },
  ],
  startupPending: 'fail',
  graceMs: 60_000,
  proxy: settings.proxy,
  onEvent: (event) => console.log(event.kind, event.license.verdict),
}

export async function product(): Promise<void> {
  await using sandbox = await Sandbox.start({ clock: 'frozen' })
  await sandbox.createProduct({ productCode: '3xmpl', dimensions: ['requests'] })
  await using guard: Guard = await init({ ...options, sandbox: sandbox.task('app') })
  const verdict: Verdict = guard.verdict
  const license: License = guard.license
  console.log(verdict, license.untilMs, license.entitlements[0]?.maxCount)
  guard.require()

  const { add } = guard.meter('requests', { team: 'a' })
  add(3)
  add(3n)
  guard.meter('hosts').set(4)

  {
    await using seat = await guard.checkOut('Seats', { count: 2, timeoutMs: 5000 })
    console.log(seat.held, seat.expiresMs, seat.number)
  }
  await guard.checkOut('Seats', { signal: AbortSignal.timeout(50) })
  await guard.drawDown('Credits', 5, { timeoutMs: 5000, signal: null })

  guard.on('event', (event: Event) => console.log(event.text))
  guard.once('license_upgraded', (event) => {
    const kind: 'license_upgraded' = event.kind
    console.log(kind)
  })
  for await (const event of guard.events()) console.log(event.details['hourMs'])

  const accounts: Account[] = await guard.account()
  const exact: Account<bigint>[] = await guard.account({ bigint: true })
  console.log(accounts[0]!.added + 1, exact[0]!.added + 1n, guard.stats().storage)
  const flushed: number = (await guard.flush({ deadlineMs: 1000 })).recorded
  const ended: bigint = (await guard.shutdown({ bigint: true })).recorded
  console.log(flushed, ended)
}

const report: DoctorReport = await doctor({ ...options, graceMs: 5 })
const failed: Finding[] = report.findings.filter(({ status }) => status === 'failed')
const exitCode: 0 | 1 | 2 = (await doctor()).exitCode
console.log(failed[0]?.fix, exitCode, (await doctorFromJson('{}')).text)

await initFromJson('{}', { onEvent: (event) => console.log(event.text) })

try {
  await product()
} catch (error) {
  if (error instanceof MpguardError && error.code === 'NOT_ENTITLED') console.log(error.kind, error.retryable, error.number)
}
