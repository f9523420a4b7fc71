'use strict'

// Options on their way to the native half, as JSON. It knows the keys; here only values are refused that
// JSON would quietly turn into others (NaN into null) or drop (functions).

const { MpguardError } = require('./error.js')

function invalid(text) {
  return new MpguardError('INVALID_CONFIG', text)
}

/** The options of the core, and the listener. */
function split(options) {
  if (options === null || typeof options !== 'object' || Array.isArray(options)) {
    throw invalid('cannot read options: give one object, such as `{ productCode, pricing }`')
  }
  const { onEvent, ...config } = options
  if (onEvent !== undefined && typeof onEvent !== 'function') {
    throw invalid('cannot set `onEvent`: give a function that takes one event')
  }
  return { config, onEvent }
}

function toJson(options) {
  return JSON.stringify(options, (key, value) => {
    const lost =
      typeof value === 'function' ||
      typeof value === 'symbol' ||
      typeof value === 'bigint' ||
      (typeof value === 'number' && !Number.isFinite(value))
    if (lost) {
      const found = typeof value === 'number' ? `\`${value}\`` : `a ${typeof value}`
      throw invalid(`cannot set \`${key}\`: found ${found}; give a text, a finite number, a list or an object`)
    }
    return value
  })
}

module.exports = { split, toJson }
