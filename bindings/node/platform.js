'use strict'

// Names of the native half: native.js looks for them, scripts/build.mjs writes them.

/**
 * Which C library this Node runs on; `none` outside of Linux.
 * @returns {'glibc' | 'musl' | 'none'}
 */
function libc() {
  if (process.platform !== 'linux') return 'none'
  /** @type {any} the types of Node 20 lack what is used here */
  const report = process.report
  const excluded = report.excludeNetwork
  report.excludeNetwork = true // names of interfaces are not needed, and looking them up is slow
  try {
    // Source: Node, process.report: `glibcVersionRuntime` is there on glibc only.
    return report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl'
  } finally {
    report.excludeNetwork = excluded
  }
}

/**
 * @param {string} platform as process.platform
 * @param {string} arch as process.arch
 * @param {string} libcName as `libc` says
 */
function fileName(platform, arch, libcName) {
  return libcName === 'none' ? `mpguard.${platform}-${arch}.node` : `mpguard.${platform}-${arch}-${libcName}.node`
}

module.exports = { libc, fileName }
