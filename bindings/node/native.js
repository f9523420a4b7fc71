'use strict'

// The native half for this platform; native.d.ts describes it.

const { existsSync } = require('node:fs')
const { join } = require('node:path')
const { fileName, libc } = require('./platform.js')

function load() {
  const { platform, arch } = process
  const place = (libcName) => join(__dirname, fileName(platform, arch, libcName))
  // Asking Node for the C library takes ten milliseconds, so it is asked only when the files leave a question.
  const only = ['glibc', 'musl'].filter((name) => platform === 'linux' && existsSync(place(name)))
  if (only.length === 1) {
    try {
      return require(place(only[0]))
    } catch (error) {
      if (libc() === only[0]) throw error
    }
  }
  const own = libc()
  const path = place(own)
  if (existsSync(path)) return require(path)
  const mismatch = only.find((name) => name !== own)
  const why = mismatch
    ? `this Node runs on ${own}, but the installed file is for ${mismatch}; install the package inside the image that runs it`
    : `no file for ${platform} ${arch}${own === 'none' ? '' : ` with ${own}`}; supported are linux and darwin on x64 and arm64`
  const error = new Error(`cannot load mpguard's native half \`${path}\`: ${why}`)
  throw Object.assign(error, { code: 'MPGUARD_NATIVE_MISSING' })
}

module.exports = load()
