// T33: a primary with cluster workers and worker threads, each with its own guard on the same directory.
// Arguments: configuration, number of workers. Says { pid }, then { ready } with the process ids of the workers.
import cluster from 'node:cluster'
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { Worker, isMainThread, threadId } from 'node:worker_threads'
import { initFromJson } from '../../../bindings/node/index.mjs'

const say = (value) => writeSync(1, JSON.stringify(value) + '\n') // in one piece: many share the pipe
const config = process.argv[2]
const guard = await initFromJson(config)
const { add } = guard.meter('requests')
add(1)

async function account() {
  const accounts = await guard.account()
  return accounts.find((each) => each.dimension === 'requests')
}

if (!isMainThread) {
  const { parentPort } = await import('node:worker_threads')
  if (!(await account()).added) throw new Error(`thread ${threadId} sees nothing`)
  parentPort.postMessage('counted')
  parentPort.once('message', async () => {
    await guard.shutdown()
    parentPort.close()
  })
} else if (cluster.isPrimary) {
  say({ pid: process.pid })
  const counted = []
  for (let n = 0; n < Number(process.argv[3]); n++) {
    const worker = cluster.fork()
    counted.push(new Promise((resolve) => worker.once('message', resolve)))
  }
  for (let n = 0; n < 2; n++) {
    const thread = new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) })
    counted.push(new Promise((resolve, reject) => thread.once('message', resolve).once('error', reject)))
    thread.unref()
  }
  await Promise.all(counted)
  say({ ready: Object.values(cluster.workers).map((worker) => worker.process.pid) })
  const lines = createInterface({ input: process.stdin })
  lines.on('line', async () => say(await account()))
} else {
  if (!(await account()).added) throw new Error('a worker sees nothing')
  process.send('counted')
  // A worker whose primary is gone ends by itself, with `process.exit`; some go on and count.
  if (cluster.worker.id % 2 === 0) {
    process.removeAllListeners('disconnect')
    process.once('disconnect', () => {
      add(10)
      setTimeout(() => process.exit(0), 3000)
    })
  }
}
