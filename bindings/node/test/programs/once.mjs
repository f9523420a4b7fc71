// Inits, meters once, and comes to its end without a shutdown.
import { init } from '../../index.mjs'

const guard = await init({ ...JSON.parse(process.env.OPTIONS), onEvent: (event) => console.log(event.kind) })
guard.on('license_upgraded', () => {})
guard.meter('requests').add(7)
;(async () => {
  for await (const event of guard.events()) console.log(`read ${event.kind}`)
})()
console.log('end of program')
