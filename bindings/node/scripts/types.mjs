// Writes native.d.ts from what the last cargo build left in target/napi-types; the #[napi] macro writes one
// JSON object a line there: { kind: 'fn' | 'interface', name, def, js_doc }.
//
//   node scripts/types.mjs

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const here = join(dirname(fileURLToPath(import.meta.url)), '..')
const definitions = join(here, '..', '..', 'target', 'napi-types', 'mpguard-node')

const HEAD = `// Generated from bindings/node/src by \`node scripts/types.mjs\`; do not edit.
// The native half, for lib/ only; the public types are in index.d.ts.

import type { Account, DoctorReport, Event, FlushReport, License, ShutdownReport, Stats, Verdict } from './index'

/** A native object that JavaScript can only hold. */
export interface ExternalObject<T> {
  readonly ''?: T
}
`

/** What native.d.ts should be. */
export function declarations() {
  if (!existsSync(definitions)) {
    throw new Error(`\`${definitions}\` is missing: build mpguard-node with cargo inside the repository`)
  }
  const lines = readFileSync(definitions, 'utf8')
  // By name: two compilers at once (library and its tests, under clippy) write everything twice.
  const byName = new Map(lines.split('\n').filter(Boolean).map((line) => [JSON.parse(line).name, JSON.parse(line)]))
  // Sorted: the compiler may meet files in any order.
  const items = [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  const opaque = new Set([...lines.matchAll(/ExternalObject<(\w+)>/g)].map(([, name]) => name))
  const handles = [...opaque].sort().map((name) => `\nexport interface ${name} {}\n`)
  return HEAD + handles.join('') + items.map(declaration).join('')
}

function declaration({ kind, name, def, js_doc }) {
  const doc = js_doc ? `${js_doc.trim()}\n` : ''
  if (kind === 'fn') return `\n${doc}export declare ${def.replaceAll(/\n\s*/g, ' ')}\n`
  if (kind === 'interface') {
    return `\n${doc}export interface ${name} {\n${def.trim().replaceAll(/^\s*/gm, '  ')}\n}\n`
  }
  throw new Error(`native.d.ts: no rule for a definition of kind \`${kind}\``)
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(join(here, 'native.d.ts'), declarations())
}
