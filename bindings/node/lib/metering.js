'use strict'

// Counters. `add` and `set` are the native functions themselves: no JavaScript runs when counting.

const { refuseOthers } = require('./own.js')

class Meter {
  constructor(token, functions, dimension, tags) {
    refuseOthers(token, 'a Meter', 'guard.meter(dimension)')
    this.dimension = dimension
    this.tags = Object.freeze({ ...tags })
    this.add = functions.add
    this.set = functions.set
    Object.freeze(this)
  }
}

/** What makes two askings the same counter. */
function meterKey(dimension, tags) {
  return JSON.stringify([dimension, Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1))])
}

module.exports = { Meter, meterKey }
