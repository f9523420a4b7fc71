'use strict'

// Node 20 has these symbols. A runtime without them gets the ones that TypeScript's output looks for.

for (const name of ['dispose', 'asyncDispose']) {
  if (!Symbol[name]) Object.defineProperty(Symbol, name, { value: Symbol(`Symbol.${name}`) })
}
