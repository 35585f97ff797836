// The numbers of stats() as instruments, read when they are collected: counting costs nothing more.
import type { ClientStats } from './client-stats.js';

/** An asynchronous instrument of OpenTelemetry, as far as it is used here. */
export interface ClientInstrument {
  addCallback(callback: (result: { observe(value: number): void }) => void): void;
}

/** A `Meter` of `@opentelemetry/api`, as far as it is used here. */
export interface ClientMeter {
  createObservableCounter(name: string, options: { description: string; unit: string }): ClientInstrument;
  createObservableGauge(name: string, options: { description: string; unit: string }): ClientInstrument;
}

type Row = readonly [name: string, unit: string, description: string, read: (stats: ClientStats) => number];

const COUNTERS: readonly Row[] = [
  ['introspectd.client.cache.hits', '{call}', 'active answers from memory', ({ hits }) => hits],
  ['introspectd.client.cache.inactive_hits', '{call}', 'inactive answers from memory', (stats) => stats.inactiveHits],
  ['introspectd.client.cache.misses', '{call}', 'calls that went to the daemon', ({ misses }) => misses],
  ['introspectd.client.cache.resets', '{reset}', 'times the daemon emptied the cache', ({ resets }) => resets],
  ['introspectd.client.cache.drops', '{revocation}', 'revocations that named answers in memory', ({ drops }) => drops],
  ['introspectd.client.requests', '{request}', 'requests to the daemon, retries included', ({ requests }) => requests],
  ['introspectd.client.retries', '{request}', 'requests that were tried again', ({ retries }) => retries],
];

const GAUGES: readonly Row[] = [
  ['introspectd.client.cache.entries', '{entry}', 'active answers in memory', ({ entries }) => entries],
  ['introspectd.client.cache.size', 'By', 'about how much memory they take', ({ bytes }) => bytes],
  [
    'introspectd.client.cache.leased',
    '1',
    '1 while answers may come from memory',
    ({ cache }) => (cache === 'leased' ? 1 : 0),
  ],
];

export function observeStats(meter: ClientMeter, stats: () => ClientStats): void {
  for (const [name, unit, description, read] of COUNTERS) {
    const counter = meter.createObservableCounter(name, { description, unit });
    counter.addCallback((result) => result.observe(read(stats())));
  }
  for (const [name, unit, description, read] of GAUGES) {
    const gauge = meter.createObservableGauge(name, { description, unit });
    gauge.addCallback((result) => result.observe(read(stats())));
  }
}
