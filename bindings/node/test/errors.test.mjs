import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import * as esm from '../index.mjs'

const require = createRequire(import.meta.url)
const native = require('../lib/native.js')
const types = readFileSync(new URL('../index.d.ts', import.meta.url), 'utf8')

/** The words of one union type of index.d.ts. */
function words(name) {
  const start = types.indexOf(`export type ${name} =`)
  const end = types.indexOf('\n\n', start)
  return [...types.slice(start, end).matchAll(/'(\w+)'/g)].map(([, word]) => word)
}

test('the types name every code and event kind of the core, and no other', () => {
  assert.deepEqual(words('ErrorCode'), native.errorCodes().map((row) => row.code))
  assert.deepEqual(words('EventKind'), native.eventKinds())
  assert.deepEqual(new Set(words('ErrorKind')), new Set(native.errorCodes().map((row) => row.kind)))
})

test('an error knows its number, kind and whether to try again from its code', () => {
  const error = new esm.MpguardError('NO_SEAT', 'all taken')
  assert.ok(error instanceof Error)
  assert.equal(error.name, 'MpguardError')
  assert.equal(error.message, 'all taken')
  assert.equal(error.number, 204)
  assert.equal(error.kind, 'retry')
  assert.equal(error.retryable, true)
  assert.equal(`${error}`, 'MpguardError: all taken')
  for (const { code, number, kind, retryable } of native.errorCodes()) {
    const made = new esm.MpguardError(code, '')
    assert.deepEqual({ code: made.code, number: made.number, kind: made.kind, retryable: made.retryable }, { code, number, kind, retryable })
  }
})

test('import and require give the same classes', () => {
  const cjs = require('../index.js')
  assert.deepEqual(Object.keys(esm).sort(), Object.keys(cjs).sort())
  for (const name of Object.keys(cjs)) assert.equal(esm[name], cjs[name], name)
})

/** Loads a copy of native.js beside the files named, as an installation of them would. */
function loadBeside(...files) {
  const folder = mkdtempSync(join(tmpdir(), 'mpguard-load-'))
  try {
    for (const file of ['native.js', 'platform.js']) copyFileSync(new URL(`../${file}`, import.meta.url), join(folder, file))
    for (const file of files) writeFileSync(join(folder, file), '')
    require(join(folder, 'native.js'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('a missing native half is named, with what is supported', () => {
  assert.throws(() => loadBeside(), (error) => {
    assert.equal(error.code, 'MPGUARD_NATIVE_MISSING')
    assert.match(error.message, /mpguard\.[\w-]+\.node`: no file for \w+ \w+.*supported are linux and darwin/)
    return true
  })
})

test('the file of another libc is recognised', () => {
  const { libc, fileName } = require('../platform.js')
  const other = { glibc: 'musl', musl: 'glibc' }[libc()]
  assert.ok(other, 'these tests run on Linux')
  assert.throws(() => loadBeside(fileName(process.platform, process.arch, other)), (error) => {
    assert.equal(error.code, 'MPGUARD_NATIVE_MISSING')
    assert.ok(error.message.includes(`this Node runs on ${libc()}, but the installed file is for ${other}`), error.message)
    return true
  })
})
