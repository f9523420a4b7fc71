// A worker whose event loop stands still while events happen; then it tells what it heard.
import { parentPort, workerData } from 'node:worker_threads'
import { init } from '../../index.mjs'

const heard = []
const guard = await init({ ...workerData.options, onEvent: (event) => heard.push(event) })
while (heard.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
parentPort.postMessage('ready')
Atomics.wait(new Int32Array(workerData.gate), 0, 0)
while (heard.at(-1).license.licenseVersion !== workerData.lastVersion) {
  await new Promise((resolve) => setTimeout(resolve, 5))
}
parentPort.postMessage({ kinds: heard.map((event) => event.kind), replaced: guard.stats().eventsReplaced })
await guard.shutdown()
