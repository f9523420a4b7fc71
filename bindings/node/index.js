'use strict'

require('./lib/dispose.js')
const { doctor, doctorFromJson } = require('./lib/doctor.js')
const { MpguardError } = require('./lib/error.js')
const { Guard, init, initFromJson } = require('./lib/guard.js')
const { Meter } = require('./lib/metering.js')
const { Seat } = require('./lib/seat.js')

module.exports = { Guard, Meter, MpguardError, Seat, doctor, doctorFromJson, init, initFromJson }
