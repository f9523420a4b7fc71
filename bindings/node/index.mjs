import mpguard from './index.js'

export const { Guard, Meter, MpguardError, Seat, init, initFromJson } = mpguard
