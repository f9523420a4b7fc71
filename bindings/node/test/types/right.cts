// The same package through `require`.
import mpguard = require('mpguard')
import sandbox = require('mpguard/sandbox')

const guard: Promise<mpguard.Guard> = mpguard.init({ productCode: '3xmpl', pricing: 'usage', dimensions: [{ name: 'a' }] })
const started: Promise<sandbox.Sandbox> = sandbox.Sandbox.start()
guard.then((live) => live.has('Premium'))
mpguard.doctor().then(({ text }) => console.log(text))
started.then((live) => live.stop())
