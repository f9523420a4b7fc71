// Plays conformance scenarios in Node: one command a line on stdin, one answer a line on stdout.
//
// The scenarios speak the C spelling of keys; Node's public objects are in camelCase, so everything is
// respelled on its way in and out.

import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { MpguardError, init } from '../../../bindings/node/index.mjs'

let guard
const seats = new Map()
const meters = new Map()
/** Events that no command has taken yet. */
const events = []
let hear = () => {}

function onEvent(event) {
  events.push(event)
  hear()
}

const commands = {
  async init(config) {
    const options = respelled(JSON.parse(config), camel)
    guard = await init({ ...options, onEvent })
    meters.clear()
    return compact(guard.license)
  },
  verdict: () => live().verdict,
  license: () => compact(live().license),
  require: () => live().require(),
  has: (feature) => flag(live().has(feature)),
  add: (dimension, quantity, ...tags) => meter(dimension, tags).add(number(quantity)),
  set: (dimension, quantity, ...tags) => meter(dimension, tags).set(number(quantity)),
  async check_out(name, entitlement, count, timeoutMs) {
    const seat = await live().checkOut(entitlement, { count: number(count), timeoutMs: Number(timeoutMs) })
    seats.set(name, seat)
    return String(seat.expiresMs)
  },
  draw_down: (entitlement, quantity, timeoutMs) =>
    live().drawDown(entitlement, number(quantity), { timeoutMs: Number(timeoutMs) }),
  seat_number: (name) => String(seat(name).number),
  seat: (name) => flag(seat(name).held),
  check_in: (name) => seat(name).checkIn(),
  async event(kind, timeoutMs) {
    const until = Date.now() + Number(timeoutMs)
    for (;;) {
      const at = events.findIndex((event) => event.kind === kind)
      if (at >= 0) return compact(events.splice(at, 1)[0])
      const left = until - Date.now()
      if (left <= 0) throw new MpguardError('TIMED_OUT', `no event \`${kind}\` in ${timeoutMs} ms`)
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, left)
        hear = () => (clearTimeout(timer), resolve())
      })
    }
  },
  account: async () => compact(await live().account({ bigint: true })),
  stats: () => compact(live().stats()),
  flush: async (deadlineMs) => compact(await live().flush({ deadlineMs: Number(deadlineMs), bigint: true })),
  shutdown: async (deadlineMs) => compact(await live().shutdown({ deadlineMs: Number(deadlineMs), bigint: true })),
}

function live() {
  if (guard) return guard
  throw new MpguardError('INVALID_ARGUMENT', 'there is no guard yet; send `init` first')
}

function seat(name) {
  if (seats.has(name)) return seats.get(name)
  throw new MpguardError('INVALID_ARGUMENT', `there is no seat \`${name}\`; send \`check_out\` first`)
}

/** Made once and kept, as a product does. */
function meter(dimension, tags) {
  const key = [dimension, ...tags].join('\t')
  if (!meters.has(key)) meters.set(key, live().meter(dimension, pairs(tags)))
  return meters.get(key)
}

const flag = (value) => (value ? '1' : '0')
const pairs = (words) => Object.fromEntries(words.map((word) => word.split(/=(.*)/s, 2)))

/** What the language lets through: a number, a bigint beyond its range, else the text itself, which is refused. */
function number(text) {
  if (!/^-?\d+$/.test(text)) return text
  return Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text)
}

const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase())
const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

function respelled(value, spell) {
  if (Array.isArray(value)) return value.map((item) => respelled(item, spell))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [spell(key), respelled(member, spell)]))
}

/** JSON in one line, bigints as exact numbers. */
function compact(value) {
  const mark = (_, member) => (typeof member === 'bigint' ? `bigint:${member}` : member)
  return JSON.stringify(respelled(value, snake), mark).replace(/"bigint:(-?\d+)"/g, '$1')
}

/** Names of options in the text of an error, as the scenarios spell them. */
const inSnakeCase = (text) => text.replace(/\b[a-z]+(?:[A-Z][a-z]*)+\b/g, snake)

async function answer(command, words) {
  try {
    if (!Object.hasOwn(commands, command)) {
      throw new MpguardError('INVALID_ARGUMENT', `unknown command \`${command}\``)
    }
    const payload = await commands[command](...words)
    return payload === undefined ? 'ok' : `ok\t${payload}`
  } catch (error) {
    if (!(error instanceof MpguardError)) throw error
    const text = (command === 'init' ? inSnakeCase(error.message) : error.message).replace(/\s+/g, ' ')
    return `error\t${error.code}\t${error.kind}\t${flag(error.retryable)}\t${text}`
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...words] = line.split('\t')
  if (command === 'quit') {
    process.stdout.write('ok\n')
    break
  }
  if (!process.stdout.write(`${await answer(command, words)}\n`)) await once(process.stdout, 'drain')
}
process.exit()
