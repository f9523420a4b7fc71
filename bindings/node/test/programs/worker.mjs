// A worker that guards, counts and listens until it is told otherwise.
import { parentPort, workerData } from 'node:worker_threads'
import { init } from '../../index.mjs'

const guard = await init({ ...workerData.options, onEvent: (event) => parentPort.postMessage(event.kind) })
const { add } = guard.meter('requests')
add(workerData.early ?? 0)
parentPort.postMessage('ready')
if (workerData.busy) {
  for (;;) {
    add(1)
    await guard.account()
  }
}
parentPort.once('message', async () => {
  add(5)
  if (workerData.shutdown) await guard.shutdown()
  parentPort.close()
})
