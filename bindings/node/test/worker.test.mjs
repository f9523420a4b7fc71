import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { init } from '../index.mjs'
import { startSandbox } from './support/options.mjs'

const file = new URL('programs/worker.mjs', import.meta.url)

let world
before(async () => (world = await startSandbox()))
after(() => world.sandbox.stop())

function start(task, data = {}) {
  const options = world.fresh({ sandbox: world.sandbox.task(task) })
  const worker = new Worker(file, { workerData: { options, ...data } })
  const ready = new Promise((resolve, reject) => {
    worker.on('message', (message) => message === 'ready' && resolve())
    worker.once('error', reject)
  })
  const ended = new Promise((resolve) => worker.once('exit', resolve))
  return { worker, ready, ended }
}

const billed = async (task) => (await world.sandbox.bill({ task })).totals['3xmpl']?.requests

test('a guard works in a worker, and its end does not touch the guard of the main thread', async () => {
  const guard = await init(world.fresh({ sandbox: world.sandbox.task('main') }))
  const { worker, ready, ended } = start('works', { shutdown: true })
  await ready
  worker.postMessage('go on')
  assert.equal(await ended, 0)
  assert.equal(await billed('works'), '5')
  guard.require()
  guard.meter('requests').add(1)
  assert.equal((await guard.shutdown()).recorded, 1)
})

test('a worker that ends without a shutdown still sends its usage', async () => {
  const { worker, ready, ended } = start('forgets')
  await ready
  worker.postMessage('go on')
  assert.equal(await ended, 0)
  assert.equal(await billed('forgets'), '5')
})

test('a worker that is terminated still sends its usage, and its guard ends', async () => {
  const { worker, ready, ended } = start('terminated', { early: 3 })
  await ready
  await worker.terminate()
  await ended
  assert.equal(await billed('terminated'), '3')
})

test('terminate is safe at any moment of a busy worker', async () => {
  for (let round = 0; round < 12; round++) {
    const { worker, ready, ended } = start(`ends-${round}`, { busy: true })
    if (round % 3 === 0) await ready // else in the middle of starting
    await new Promise((resolve) => setTimeout(resolve, round * 7))
    await worker.terminate()
    assert.equal(typeof (await ended), 'number')
  }
})

test('a process whose workers alone loaded the package outlives them', async () => {
  const script = `
    const { Worker } = require('node:worker_threads')
    const { once } = require('node:events')
    ;(async () => {
      for (let round = 0; round < 4; round++) {
        const worker = new Worker(process.argv[1], { workerData: JSON.parse(process.env.DATA) })
        while ((await once(worker, 'message'))[0] !== 'ready');
        await worker.terminate()
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
      console.log('alive')
    })()`
  const options = world.fresh({ sandbox: world.sandbox.task('alone') })
  const child = spawn(process.execPath, ['-e', script, fileURLToPath(file)], {
    env: { ...process.env, DATA: JSON.stringify({ options, busy: true }) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let stdout = ''
  child.stdout.on('data', (data) => (stdout += data))
  const [code, signal] = await new Promise((resolve) => child.once('close', (...how) => resolve(how)))
  assert.deepEqual({ code, signal, stdout }, { code: 0, signal: null, stdout: 'alive\n' })
})
