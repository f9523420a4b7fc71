'use strict'

// Checks of arguments, each error naming the argument, what was found and what is allowed.

const { MpguardError } = require('./error.js')

function show(value) {
  if (typeof value === 'string') return `\`'${value}'\``
  if (value === null || ['number', 'bigint', 'boolean', 'undefined'].includes(typeof value)) return `\`${value}\``
  return Array.isArray(value) ? 'an array' : `a value of type \`${typeof value}\``
}

function refuse(name, allowed, value) {
  return new MpguardError('INVALID_ARGUMENT', `cannot use ${show(value)} as \`${name}\`: give ${allowed}`)
}

function text(value, name) {
  if (typeof value !== 'string' || value === '') throw refuse(name, 'a text that is not empty', value)
  return value
}

function whole(value, name, least) {
  if (!Number.isSafeInteger(value) || value < least) throw refuse(name, `a whole number from ${least}`, value)
  return value
}

function milliseconds(value, name) {
  if (typeof value !== 'number' || !(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) {
    throw refuse(name, 'milliseconds from 0', value)
  }
  return value
}

function signal(value, name) {
  if (value !== null && !(value instanceof AbortSignal)) throw refuse(name, 'an AbortSignal', value)
  return value
}

function flag(value, name) {
  if (typeof value !== 'boolean') throw refuse(name, '`true` or `false`', value)
  return value
}

/** The members of an options object, with defaults; a member that nobody knows is refused. */
function options(value, name, defaults) {
  if (value === undefined) return { ...defaults }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw refuse(name, 'an object', value)
  const result = { ...defaults }
  for (const [key, member] of Object.entries(value)) {
    if (!Object.hasOwn(defaults, key)) {
      const known = Object.keys(defaults).join('`, `')
      throw new MpguardError('INVALID_ARGUMENT', `unknown member \`${key}\` in \`${name}\`; known here: \`${known}\``)
    }
    if (member !== undefined) result[key] = member
  }
  return result
}

function tags(value) {
  const all = value ?? {}
  if (typeof all !== 'object' || Array.isArray(all)) throw refuse('tags', 'an object of texts', value)
  for (const [key, tag] of Object.entries(all)) {
    if (typeof tag !== 'string') throw refuse(`tags.${key}`, 'a text', tag)
  }
  return all
}

module.exports = { flag, milliseconds, options, signal, tags, text, whole }
