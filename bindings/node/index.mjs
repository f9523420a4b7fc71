import mpguard from './index.js'

export const { Guard, Meter, MpguardError, Seat, doctor, doctorFromJson, init, initFromJson } = mpguard
