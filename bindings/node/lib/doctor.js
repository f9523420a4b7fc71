'use strict'

// What is wrong with a set-up, and how to mend it.

const native = require('./native.js')
const argument = require('./argument.js')
const { split, toJson } = require('./config.js')
const { awaited } = require('./error.js')

/** Looks at everything that a guard of these options would need; without any, at the surroundings. */
async function doctor(options) {
  const json = options === undefined ? null : toJson(split(options).config)
  return await awaited(native.examine(json, false, false))
}

/** The same for JSON with the keys of docs/CONFIGURATION.md, as the other languages read it. */
async function doctorFromJson(json) {
  argument.text(json, 'json')
  return await awaited(native.examine(json, true, false))
}

module.exports = { doctor, doctorFromJson }
