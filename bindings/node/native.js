'use strict'

// The native half for this platform; native.d.ts describes it.

const { existsSync } = require('node:fs')
const { join } = require('node:path')
const { fileName, libc } = require('./platform.js')

function load() {
  const { platform, arch } = process
  const own = libc()
  const path = join(__dirname, fileName(platform, arch, own))
  if (existsSync(path)) return require(path)
  const other = own === 'glibc' ? 'musl' : 'glibc'
  const mismatch = platform === 'linux' && existsSync(join(__dirname, fileName(platform, arch, other)))
  const why = mismatch
    ? `this Node runs on ${own}, but the installed file is for ${other}; install the package inside the image that runs it`
    : `no file for ${platform} ${arch}${own === 'none' ? '' : ` with ${own}`}; supported are linux and darwin on x64 and arm64`
  const error = new Error(`cannot load mpguard's native half \`${path}\`: ${why}`)
  throw Object.assign(error, { code: 'MPGUARD_NATIVE_MISSING' })
}

module.exports = load()
