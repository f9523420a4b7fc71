// Starts a guard and ends. MPGUARD_CONFIG: the configuration as JSON.
import { initFromJson } from 'mpguard'

const guard = await initFromJson(process.env.MPGUARD_CONFIG)
guard.require()
