import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { init, initFromJson } from '../index.mjs'
import { options } from './support/options.mjs'

/** `init` must refuse `changes` with a text that has all of `parts`. */
async function check(changes, ...parts) {
  const config = typeof changes === 'object' && changes !== null && !Array.isArray(changes) ? { ...options, ...changes } : changes
  await assert.rejects(init(config), (error) => {
    assert.equal(error.code, 'INVALID_CONFIG', error.stack)
    assert.equal(error.kind, 'usage')
    for (const part of parts) assert.ok(error.message.includes(part), `\`${error.message}\` does not say \`${part}\``)
    return true
  })
}

test('an unknown option is named as it was written, with the nearest known one', async () => {
  await check({ productcode: 'x' }, 'unknown option `productcode`', '`productCode`')
  await check({ dimensions: [{ name: 'a' }, { name: 'b', perUnits: 3 }] }, '`perUnits`', '`dimensions[1]`', '`perUnit`')
  await check({ zzz: 1 }, 'unknown option `zzz`', 'docs/CONFIGURATION.md')
  await check({ dimensions: [{ name: 'a', zzz: 1 }] }, 'unknown option `zzz` in `dimensions[0]`', '`perUnit`')
})

test('a key spelled as in C is unknown here', async () => {
  await check({ grace_ms: 5 }, 'unknown option `grace_ms`', '`graceMs`')
  await check(
    { trustedProducts: [{ code: '3xmpl', public_keys: [] }] },
    'unknown option `public_keys` in `trustedProducts[0]`',
    '`publicKeys`',
  )
})

test('a wrong value is named with its option as written, and what is allowed', async () => {
  await check({ recheckIntervalMs: 5 }, '`recheckIntervalMs`', '`5`', '60000')
  await check({ startupPending: 'hope' }, '`startupPending`', 'hope', '`wait`, `fail`')
  await check({ dimensions: [{ name: 'a', perUnit: 0 }] }, '`dimensions[0].perUnit`', '`0`')
  await check({ trustedProducts: [{ code: '3xmpl' }] }, '3xmpl', 'trustedProducts[].sku')
  await check({ productCode: undefined }, '`productCode` is missing')
})

test('values that JSON would lose are refused', async () => {
  await check({ graceMs: NaN }, '`graceMs`', '`NaN`')
  await check({ graceMs: Infinity }, '`graceMs`', '`Infinity`')
  await check({ graceMs: 5n }, '`graceMs`', 'bigint')
  await check({ proxy: () => 'none' }, '`proxy`', 'function')
  await check({ dimensions: [{ name: Symbol('requests') }] }, '`name`', 'symbol')
  await check({ onEvent: 'print' }, '`onEvent`', 'function')
})

test('options are one object', async () => {
  for (const bad of [undefined, null, 'usage', 7, []]) await check(bad, 'give one object')
})

test('an option that is undefined or null counts as left out', async () => {
  await check({ proxy: undefined, graceMs: null, pricing: undefined }, '`pricing` is missing')
})

test('every option that the types promise is known', async () => {
  const types = readFileSync(new URL('../config.d.ts', import.meta.url), 'utf8')
  const body = types.slice(types.indexOf('export interface Config {'))
  const names = [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name]) => name)
  assert.ok(names.length > 15, `found ${names}`)
  for (const name of names) await check({ [name]: { none: 'of them takes this' } }, `cannot set \`${name}\``)
})

test('a code from outside must be one of the trusted products', async () => {
  await check({ productCode: 'other' }, '`other`', '`3xmpl`', 'trustedProducts')
})

test('JSON that other languages read is read too, and errors name its keys as they stand', async () => {
  const check = (json, ...parts) =>
    assert.rejects(initFromJson(json), (error) => {
      assert.equal(error.code, 'INVALID_CONFIG', error.stack)
      for (const part of parts) assert.ok(error.message.includes(part), `\`${error.message}\` does not say \`${part}\``)
      return true
    })
  await check('{"product_code": "3xmpl", "pricing": "usage", "grace_ms": -1}', '`grace_ms`', '`-1`')
  await check('{"productCode": "3xmpl"}', '`productCode`', '`product_code`')
  await check('{', 'cannot read configuration')
  await assert.rejects(initFromJson(), { code: 'INVALID_ARGUMENT', message: /`json`/ })
  await assert.rejects(initFromJson('{}', { onevent: () => {} }), { code: 'INVALID_ARGUMENT', message: /`onEvent`/ })
})
