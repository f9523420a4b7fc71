// The bench's side of a Node program: it takes turns with programs of other languages; turn.h has the lines.
//
// A turn with two threads runs in two workers that load everything anew, as a server with workers does.

import { createInterface } from 'node:readline'
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'

const THREADS = 2

/** What this thread counts under: every thread has a dimension of its own, so that each can be checked. */
export const dimension = process.env.BENCH_DIMENSION + (isMainThread ? '' : workerData)

function run(row, calls) {
  const begun = process.hrtime.bigint()
  row(calls)
  return Number(process.hrtime.bigint() - begun)
}

/** Answers until the input ends; the row `add` is the one that the guard counts. */
export async function take(file, rows, account) {
  let added = 0
  const turn = (name, calls) => {
    if (name === 'add') added += calls
    return run(rows[name], calls)
  }
  const told = async () => ({ called: { [dimension]: added }, account: await account() })
  if (!isMainThread) {
    parentPort.on('message', async ([name, calls]) => {
      parentPort.postMessage(name === 'account' ? await told() : turn(name, calls))
    })
    parentPort.postMessage('ready')
    return
  }
  const workers = Array.from({ length: THREADS }, (_, i) => new Worker(file, { workerData: `${i + 1}` }))
  const answers = () => Promise.all(workers.map((worker) => new Promise((done, fail) => {
    worker.once('message', done)
    worker.once('error', fail)
  })))
  await answers()
  const ask = (message) => {
    const all = answers()
    for (const worker of workers) worker.postMessage(message)
    return all
  }
  const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`)
  say(Object.keys(rows))
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === 'account') {
      const all = [await told(), ...(await ask(['account']))]
      // Of each guard only the counts of its own thread.
      const own = all.flatMap((one) => one.account.filter((each) => each.dimension in one.called))
      say({ called: Object.assign({}, ...all.map((one) => one.called)), account: own })
    } else {
      const [name, threads, calls] = line.split('\t')
      say(threads === '1' ? turn(name, Number(calls)) : Math.max(...(await ask([name, Number(calls)]))))
    }
  }
  process.exit(0)
}
