// Builds the native half alone and puts it beside index.js under the name that platform.js gives it.
//
//   node scripts/build.mjs [--profile release]
//
// In the repository `cargo xtask build` does the same as part of one build of everything.

import { spawnSync } from 'node:child_process'
import { copyFileSync, renameSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: { profile: { type: 'string', default: 'dev' } } })
const here = join(dirname(fileURLToPath(import.meta.url)), '..')
const root = join(here, '..', '..')
const { libc, fileName } = createRequire(import.meta.url)('../platform.js')

const built = spawnSync('cargo', ['build', '-p', 'mpguard-node', '--profile', values.profile], {
  cwd: root,
  stdio: 'inherit',
})
if (built.error) throw built.error
if (built.status !== 0) process.exit(built.status ?? 1)

const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target')
const suffix = process.platform === 'darwin' ? 'dylib' : 'so'
const library = join(target, values.profile === 'dev' ? 'debug' : values.profile, `libmpguard_node.${suffix}`)
const file = join(here, fileName(process.platform, process.arch, libc()))
// Renamed into place: writing into a file that a running process has mapped would crash it.
copyFileSync(library, `${file}.new`)
renameSync(`${file}.new`, file)
