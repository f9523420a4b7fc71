import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test, { after, before } from 'node:test'
import { fileURLToPath } from 'node:url'
import { doctor, doctorFromJson, init } from '../index.mjs'
import { startSandbox } from './support/options.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const { bin, version } = createRequire(import.meta.url)('../package.json')
const program = join(here, '..', bin.mpguard)

/** A network of its own, which leads nowhere: without a sandbox the doctor looks for AWS. */
const ALONE = ['unshare', '-r', '-n']

let world
before(async () => {
  world = await startSandbox()
})
after(() => world.sandbox.stop())

/** Runs `npx mpguard` as npm would: the file that package.json names. */
function command(words, { input = '', prefix = [] } = {}) {
  const [first, ...rest] = [...prefix, process.execPath, program, ...words]
  return new Promise((resolve, reject) => {
    const child = spawn(first, rest)
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (bytes) => (stdout += bytes))
    child.stderr.on('data', (bytes) => (stderr += bytes))
    child.stdin.on('error', () => {}) // it may end without reading
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, stdout, stderr }))
    child.stdin.end(input)
  })
}

const statuses = (report) => Object.fromEntries(report.findings.map(({ id, status }) => [id, status]))

/** The options of `fresh` as the other languages spell them. */
const shared = ({ productCode, trustedProducts, dimensions, sandbox }) =>
  JSON.stringify({ product_code: productCode, trusted_products: trustedProducts, dimensions, sandbox, pricing: 'usage' })

const usage = () => {
  const { entitlements, ...options } = world.fresh({ pricing: 'usage' })
  return options
}

test('a product in a sandbox is examined without a guard', async () => {
  const report = await doctor(usage())
  assert.equal(report.sandbox, true)
  assert.equal(report.version, version)
  const found = statuses(report)
  assert.equal(found.configuration, 'passed')
  assert.ok('region' in found, Object.keys(found).join())
  const order = ['skipped', 'passed', 'warning', 'failed']
  assert.equal(report.status, order[Math.max(...Object.values(found).map((status) => order.indexOf(status)))])
  assert.equal(report.exitCode, { warning: 1, failed: 2 }[report.status] ?? 0)
  assert.ok(report.text.includes('region') && report.text.endsWith('\n') && !report.text.includes('\x1b'))
  assert.deepEqual(Object.keys(report.findings[0]).sort(), ['docs', 'fix', 'id', 'status', 'what', 'why'])
})

test('it bills nothing and takes nothing', async () => {
  const before = await world.sandbox.bill()
  await doctor(world.fresh())
  assert.deepEqual(await world.sandbox.bill(), before)
  const guard = await init(world.fresh())
  try {
    assert.equal(guard.verdict, 'licensed')
    const seat = await guard.checkOut('Seats', { count: 2, timeoutMs: 1000 })
    assert.ok(seat.held, 'all seats are still free')
  } finally {
    await guard.shutdown()
  }
})

test('a missing permission is named', async () => {
  await world.sandbox.switches({ iamDenied: ['aws-marketplace:MeterUsage'] })
  try {
    const report = await doctor(usage())
    const denied = report.findings.find(({ id }) => id === 'permission.MeterUsage')
    assert.equal(denied.status, 'failed')
    assert.ok((denied.what + denied.why + denied.fix).includes('aws-marketplace:MeterUsage'), JSON.stringify(denied))
    assert.equal(report.exitCode, 2)
  } finally {
    await world.sandbox.switches({ iamDenied: [] })
  }
})

test('the event loop turns meanwhile', async () => {
  let longest = 0
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
  }, 5)
  await world.sandbox.fault({ operation: 'MeterUsage', kind: 'delay', delayMs: 300 })
  try {
    const start = performance.now()
    await doctor(usage())
    assert.ok(performance.now() - start > 250, 'it waited for AWS')
    assert.ok(longest < 250, `the loop stood for ${longest} ms`)
  } finally {
    clearInterval(timer)
    await world.sandbox.clearFaults()
  }
})

test('the command says the same, from a file and from standard input', async () => {
  const json = shared(usage())
  const report = await doctorFromJson(json)
  const folder = mkdtempSync(join(tmpdir(), 'mpguard-doctor-'))
  try {
    const file = join(folder, 'config.json')
    writeFileSync(file, json)
    for (const [name, input] of [[file, ''], ['-', json]]) {
      const done = await command(['doctor', '--json', '--config', name], { input })
      assert.equal(done.status, report.exitCode, done.stderr)
      const told = JSON.parse(done.stdout)
      assert.deepEqual(Object.keys(told).sort(), ['findings', 'sandbox', 'status', 'version'])
      assert.deepEqual(statuses(told), statuses(report))
    }
    const done = await command(['doctor', '--config', file])
    assert.equal(done.status, report.exitCode)
    assert.ok(done.stdout.includes('A sandbox was examined') && done.stdout.includes('configuration: '), done.stdout)
    assert.ok(!done.stdout.includes('\x1b'), 'colour in a pipe')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('without a verb there is help, and what is unknown is refused', async () => {
  const bare = await command([])
  assert.deepEqual([bare.status, bare.stdout], [2, ''])
  assert.ok(bare.stderr.includes('doctor'))
  const help = await command(['--help'])
  assert.equal(help.status, 0)
  assert.ok(help.stdout.includes('0 all is well, 1 something should be looked at, 2 something does not work'))
  assert.equal((await command(['--version'])).stdout, `mpguard ${version}\n`)
  for (const [words, said] of [
    [['doctr'], '`doctr`'],
    [['doctor', 'now'], '`doctor now`'],
    [['doctor', '--jsn'], '--jsn'],
    [['doctor', '--config'], '--config'],
    [['doctor', '--config', join(here, 'missing.json')], `cannot read configuration \`${join(here, 'missing.json')}\``],
  ]) {
    const done = await command(words, { prefix: ALONE })
    assert.deepEqual([done.status, done.stdout], [2, ''], words.join(' '))
    assert.ok(done.stderr.startsWith('error: ') && done.stderr.includes(said), done.stderr)
  }
  const odd = await command(['doctor', '--config', '-'], { input: Buffer.from([0xff]), prefix: ALONE })
  assert.equal(odd.status, 2)
  assert.ok(odd.stderr.includes('cannot read configuration of standard input'), odd.stderr)
})

test('what is no configuration is a finding', async () => {
  for (const [input, words] of [['{', 'cannot read configuration'], ['{"prcing": 1}', 'did you mean `pricing`?']]) {
    const done = await command(['doctor', '--json', '--config', '-'], { input, prefix: ALONE })
    const report = JSON.parse(done.stdout)
    const found = report.findings.filter(({ id }) => id === 'configuration')
    assert.deepEqual([done.status, report.status, found.length, found[0].status], [2, 'failed', 1, 'failed'])
    assert.ok(found[0].what.includes(words), found[0].what)
  }
  await assert.rejects(doctorFromJson(), { code: 'INVALID_ARGUMENT', message: /`json`/ })
  await assert.rejects(doctor({ graceMs: NaN }), { code: 'INVALID_CONFIG', message: /`graceMs`/ })
  await assert.rejects(doctor(7), { code: 'INVALID_CONFIG' })
})

test('findings name options as they are written here, and without options the surroundings are looked at', () => {
  const script = `
    const assert = require('node:assert/strict')
    const { doctor } = require(${JSON.stringify(join(here, '..', 'index.js'))})
    const found = async (options) => (await doctor(options)).findings.find(({ id }) => id === 'configuration')
    const check = async () => {
      assert.match((await found({ product_code: 'x' })).what, /unknown option \`product_code\`.*\`productCode\`/)
      assert.match((await found({ pricing: 'usage' })).what, /\`productCode\`/)
      const report = await doctor()
      assert.equal(report.sandbox, false)
      assert.ok(report.findings.length > 0)
    }
    check().catch((error) => { console.error(error); process.exitCode = 1 })`
  const { status, stderr, error } = spawnSync(ALONE[0], [...ALONE.slice(1), process.execPath, '-e', script], { encoding: 'utf8' })
  assert.ok(!error, String(error))
  assert.equal(status, 0, stderr)
})
