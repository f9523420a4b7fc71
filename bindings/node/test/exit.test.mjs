import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startSandbox } from './support/options.mjs'

let world
before(async () => (world = await startSandbox()))
after(() => world.sandbox.stop())

/** Runs a program of test/programs; it must end by itself. */
async function run(task, program, args = [], changes = {}) {
  const file = fileURLToPath(new URL(`programs/${program}.mjs`, import.meta.url))
  const options = world.fresh({ sandbox: world.sandbox.task(task), ...changes })
  const child = spawn(process.execPath, [file, ...args], {
    env: { ...process.env, OPTIONS: JSON.stringify(options) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (data) => (stdout += data))
  child.stderr.on('data', (data) => (stderr += data))
  const started = Date.now()
  const [code, signal] = await new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), 30_000)
    child.once('close', (...how) => {
      clearTimeout(timer)
      resolve(how)
    })
  })
  return { code, signal, stdout, stderr, ms: Date.now() - started }
}

const billed = async (task) => (await world.sandbox.bill({ task })).totals['3xmpl']?.requests

test('a program that only inits, meters once and ends exits by itself, and its usage is sent', async () => {
  const { code, signal, stdout, stderr, ms } = await run('once', 'once')
  assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' })
  assert.match(stdout, /end of program/)
  assert.ok(ms < 10_000, `${ms} ms`)
  assert.equal(await billed('once'), '7')
})

test('when AWS does not answer, the end waits five seconds at most', async () => {
  await world.sandbox.fault({ operation: 'MeterUsage', kind: 'delay', delayMs: 60_000, times: -1, task: 'stuck' })
  const { code, ms } = await run('stuck', 'once', [], { startupTimeoutMs: 500 })
  await world.sandbox.clearFaults()
  assert.equal(code, 0)
  assert.ok(ms > 4000 && ms < 12_000, `${ms} ms`)
})

test('process.exit keeps its code, and usage is sent', async () => {
  const { code, stderr } = await run('exit', 'exits', ['exit'])
  assert.deepEqual({ code, stderr }, { code: 4, stderr: '' })
  assert.equal(await billed('exit'), '1')
})

test('process.exit inside a listener ends the process', async () => {
  const { code, stderr } = await run('listener', 'exits', ['exit in a listener'])
  assert.deepEqual({ code, stderr }, { code: 3, stderr: '' })
})

test('process.exit while promises wait ends the process', async () => {
  const { code, stderr } = await run('waiting', 'exits', ['exit while waiting'])
  assert.deepEqual({ code, stderr }, { code: 5, stderr: '' })
})

test('an uncaught error of the product still ends it with 1', async () => {
  const { code, stderr } = await run('throw', 'exits', ['throw'])
  assert.equal(code, 1)
  assert.match(stderr, /the product failed/)
})

test('a promise that waits keeps the process alive until it is settled', async () => {
  const { code, stdout } = await run('seat', 'exits', ['wait for a seat'])
  assert.equal(code, 0)
  assert.equal(stdout, 'seat\n')
})
