// Counts, has cluster workers, and is killed; see README.md. Each worker has a guard of its own on the same state.

import cluster from 'node:cluster'
import { closeSync, openSync, readSync, writeSync, ftruncateSync } from 'node:fs'
import { join } from 'node:path'
import { initFromJson } from '../../bindings/node/index.mjs'

const { TORTURE_CONFIG, TORTURE_TALLY, TORTURE_NAME, TORTURE_PULSE, TORTURE_SEED, TORTURE_CHILDREN } = process.env

const SERIES = [
  ['requests', {}],
  ['requests', { tenant: 'a' }],
  ['requests', { tenant: 'b' }],
  ['gigabytes', {}],
  ['gigabytes', { region: 'x' }],
  ['jobs', { tenant: 'a', tier: 'gold' }],
]
const TALLY_NUMBERS = 80
const REFUSED = 3
const [STARTED, WORKER] = [1, 3]
const say = (line) => process.stdout.write(`${line}\n`)

/** What this process has counted. A write of eight bytes is in the kernel when it returns. */
class Tally {
  constructor(kind) {
    this.file = openSync(join(TORTURE_TALLY, `${TORTURE_NAME}.${process.pid}`), 'w+', 0o600)
    ftruncateSync(this.file, TALLY_NUMBERS * 8)
    this.bytes = Buffer.alloc(TALLY_NUMBERS * 8)
    this.numbers = new BigUint64Array(this.bytes.buffer, this.bytes.byteOffset, TALLY_NUMBERS)
    this.put(1, BigInt(process.ppid))
    this.put(2, BigInt(kind))
    this.put(0, BigInt(process.pid))
  }

  put(number, value) {
    this.numbers[number] = value
    writeSync(this.file, this.bytes, number * 8, 8, number * 8)
  }

  add(series, meter, quantity) {
    const started = 16 + 2 * series
    this.put(started, this.numbers[started] + BigInt(quantity))
    try {
      meter.add(quantity)
    } catch {
      this.put(started, this.numbers[started] - BigInt(quantity))
      this.put(REFUSED, this.numbers[REFUSED] + 1n)
      return
    }
    this.put(started + 1, this.numbers[started + 1] + BigInt(quantity))
  }
}

/** Reproducible draws: mulberry32. */
function chance(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** The conductor is gone when its pulse stands still; then nobody else would end us. */
function watchPulse() {
  const file = openSync(TORTURE_PULSE, 'r')
  const now = Buffer.alloc(8)
  let [seen, since] = ['', Date.now()]
  const timer = setInterval(() => {
    readSync(file, now, 0, 8, 0)
    if (now.toString('hex') !== seen) [seen, since] = [now.toString('hex'), Date.now()]
    else if (Date.now() - since > 30_000) process.kill(process.pid, 'SIGKILL')
  }, 500)
  return () => {
    clearInterval(timer)
    closeSync(file)
  }
}

async function tell(guard) {
  say(`account: ${JSON.stringify(await guard.account())}`)
}

function haveWorkers(most, draw) {
  const timer = setInterval(() => {
    if (Object.keys(cluster.workers).length < most && draw() < 0.5) cluster.fork()
  }, 200)
  cluster.on('exit', (worker, code, signal) => {
    if ((signal && signal !== 'SIGKILL' && signal !== 'SIGTERM') || (code && code !== 0)) {
      process.stderr.write(`worker ${worker.process.pid} of ${TORTURE_NAME} died: code ${code}, signal ${signal}\n`)
    }
  })
  return () => clearInterval(timer)
}

async function main() {
  const tally = new Tally(cluster.isPrimary ? STARTED : WORKER)
  const draw = chance(Number(TORTURE_SEED) + (cluster.isPrimary ? 0 : process.pid))
  let told = false
  process.on('SIGTERM', () => {
    told = true
  })
  const endWatch = watchPulse()
  const guard = await initFromJson(TORTURE_CONFIG, {
    onEvent: (event) => say(`event: ${event.kind}: ${event.text}`),
  })
  const meters = SERIES.map(([dimension, tags]) => guard.meter(dimension, tags))
  say(`ready ${guard.stats().storage}`)
  const endWorkers = cluster.isPrimary ? haveWorkers(Number(TORTURE_CHILDREN), draw) : () => {}
  let bursts = cluster.isPrimary ? Infinity : 200 + draw() * 2000
  while (!told && bursts-- > 0) {
    for (let n = 0; n < 20; n++) {
      const series = Math.floor(draw() * SERIES.length)
      tally.add(series, meters[series], Math.floor(draw() * 20))
    }
    if (draw() < 0.005) await tell(guard)
    await new Promise((resolve) => setTimeout(resolve, 1 + draw() * 6))
  }
  endWorkers()
  endWatch()
  await guard.shutdown({ deadlineMs: 5_000 })
  await tell(guard)
  process.exit(0)
}

main().catch((error) => {
  say(`${error.code ?? error.name}: ${error.message}`)
  process.exitCode = 3
  setImmediate(() => process.exit(3))
})
