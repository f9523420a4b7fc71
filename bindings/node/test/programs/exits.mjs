// Ends in the way that its argument names, with a live guard.
import { init } from '../../index.mjs'

const [way] = process.argv.slice(2)
const options = JSON.parse(process.env.OPTIONS)
const onEvent = () => way === 'exit in a listener' && process.exit(3)
const guard = await init({ ...options, onEvent })
guard.meter('requests').add(1)

if (way === 'exit') process.exit(4)
if (way === 'throw') throw new Error('the product failed')
if (way === 'exit while waiting') {
  guard.checkOut('Seats', { count: 1000, timeoutMs: 60_000 }).catch(() => {})
  guard.shutdown({ deadlineMs: 60_000 })
  setImmediate(() => process.exit(5))
}
if (way === 'wait for a seat') {
  // Not awaited at the top level: only the promise itself keeps the process alive.
  guard.checkOut('Seats').then(() => console.log('seat'))
}
if (way === 'exit in a listener') setTimeout(() => process.exit(6), 20_000)
