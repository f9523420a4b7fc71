'use strict'

// Seats. One that is forgotten is checked in when it is collected; `checkIn` or `await using` is sooner.

const native = require('./native.js')
const { awaited } = require('./error.js')
const { refuseOthers } = require('./own.js')

class Seat {
  #handle

  constructor(token, handle, entitlement, count) {
    refuseOthers(token, 'a Seat', 'await guard.checkOut(entitlement)')
    this.#handle = handle
    this.number = native.seatNumber(handle)
    this.entitlement = entitlement
    this.count = count
  }

  get held() {
    return native.seatHeld(this.#handle)
  }

  get expiresMs() {
    return native.seatExpiresMs(this.#handle)
  }

  async checkIn() {
    await awaited(native.checkIn(this.#handle))
  }

  async [Symbol.asyncDispose]() {
    await this.checkIn()
  }
}

module.exports = { Seat }
