// Counts from Node: `meter.add`, beside an empty native function and the counters that sellers use.
//
// MPGUARD_CONFIG: the configuration as JSON; BENCH_DIMENSION: what is counted. turn.h says what it answers.

import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import { initFromJson } from 'mpguard'
import prometheus from 'prom-client'
import { dimension, take } from './turns.mjs'

/** A reader that is never read: without one the SDK counts nothing. */
class Reader extends MetricReader {
  async onForceFlush() {}
  async onShutdown() {}
}

const guard = await initFromJson(process.env.MPGUARD_CONFIG)
const meter = guard.meter(dimension, { Team: 'red', Zone: 'a' })
const tier = process.env.BENCH_TIER
guard.require()
const empty = createRequire(import.meta.url)('./border.node')
const labelled = new prometheus.Counter({ name: 'requests', help: 'Requests.', labelNames: ['team', 'zone'] })
const child = labelled.labels('red', 'a')
const instrument = new MeterProvider({ readers: [new Reader()] }).getMeter('bench').createCounter('requests')
const attributes = { team: 'red', zone: 'a' }

const rows = {
  nothing(calls) {
    for (let i = 0; i < calls; i++) empty.add(1)
  },
  fetch_add(calls) {
    for (let i = 0; i < calls; i++) empty.bare(1)
  },
  add(calls) {
    for (let i = 0; i < calls; i++) meter.add(1)
  },
  has(calls) {
    for (let i = 0; i < calls; i++) guard.has(tier)
  },
  'prom-client, child'(calls) {
    for (let i = 0; i < calls; i++) child.inc(1)
  },
  'prom-client, labels'(calls) {
    for (let i = 0; i < calls; i++) labelled.inc(attributes, 1)
  },
  'opentelemetry, attributes'(calls) {
    for (let i = 0; i < calls; i++) instrument.add(1, attributes)
  },
}

await take(fileURLToPath(import.meta.url), rows, () => guard.account())
