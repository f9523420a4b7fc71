import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { declarations } from '../scripts/types.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const require = createRequire(import.meta.url)

/** Runs the TypeScript compiler on one project of test/types. */
function check(project) {
  const { bin } = require('typescript/package.json')
  const compiler = join(dirname(require.resolve('typescript/package.json')), bin.tsc)
  const { status, stdout, error } = spawnSync(process.execPath, [compiler, '-p', join(here, 'types', project)], { encoding: 'utf8' })
  assert.ok(!error, String(error))
  assert.equal(status, 0, stdout)
}

test('what a seller writes compiles, and what is wrong does not', () => check('tsconfig.json'))

test('the package uses its own native half as its types say', () => check('lib.tsconfig.json'))

test('the native types are what the source says', () => {
  const checkedIn = readFileSync(join(here, '..', 'native.d.ts'), 'utf8')
  assert.equal(checkedIn, declarations(), 'node scripts/types.mjs writes native.d.ts again')
})

test('the native half has what its types promise', () => {
  const native = require('../native.js')
  const types = readFileSync(join(here, '..', 'native.d.ts'), 'utf8')
  const promised = [...types.matchAll(/^export declare function (\w+)/gm)].map(([, name]) => name)
  assert.deepEqual(Object.keys(native).sort(), promised.sort())
})

test('the public objects have what their types promise', () => {
  const types = readFileSync(join(here, '..', 'index.d.ts'), 'utf8')
  const { Guard, Meter, MpguardError, Seat } = require('../index.js')
  const fields = { Guard: [], Meter: ['dimension', 'tags', 'add', 'set'], Seat: ['number', 'entitlement', 'count'], MpguardError: ['code', 'number', 'kind', 'retryable'] }
  for (const [name, type] of Object.entries({ Guard, Meter, MpguardError, Seat })) {
    const start = types.indexOf(`export declare class ${name} `)
    const body = types.slice(start, types.indexOf('\n}', start))
    const promised = [...body.matchAll(/^ {2}(?:get |readonly )?(\w+)[(:]/gm)].map(([, word]) => word)
    const found = [...Object.getOwnPropertyNames(type.prototype), ...fields[name]]
    const expected = new Set(promised.filter((word) => word !== 'constructor' && word !== 'private'))
    assert.deepEqual(new Set(found.filter((word) => word !== 'constructor')), expected, name)
  }
})
