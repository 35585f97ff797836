// What the benchmark is made of. A new row stands in a file of scenarios/; a new scenario gets a line here.
import type { Bench, BenchContext, Scenario } from './bench-context.js';
import type { FigureGroup } from './figures.js';
import { batch } from './scenarios/batch.js';
import { batchBeside } from './scenarios/batch-beside.js';
import { check } from './scenarios/check.js';
import { client, measureNearCache } from './scenarios/client.js';
import { measureEnvoyLatency } from './scenarios/envoy-latency.js';
import { introspect } from './scenarios/introspect.js';
import { latency } from './scenarios/latency.js';
import { peerLatency } from './scenarios/peer-latency.js';
import { measureRecordMemory } from './scenarios/record-memory.js';
import { measureRevocationTable } from './scenarios/revocation-table.js';
import { revokeStorm } from './scenarios/revoke-storm.js';
import { revokeUser } from './scenarios/revoke-user.js';
import { measureDaemon } from './scenarios/startup.js';
import { storeSize } from './scenarios/store-size.js';
import { measureWatching } from './scenarios/watching.js';
import { writes } from './scenarios/writes.js';

export type Part = { readonly name: string; readonly quick?: 'left out' } & (
  | { readonly on: 'each engine'; readonly rows: Scenario }
  | { readonly on: 'each engine'; readonly figures: (context: BenchContext) => Promise<readonly FigureGroup[]> }
  | { readonly on: 'nothing'; readonly figures: (bench: Bench) => Promise<readonly FigureGroup[]> }
);

/** In this order. Writes come last: they make the store grow. */
const PARTS: readonly Part[] = [
  { name: 'introspect', on: 'each engine', rows: introspect },
  { name: 'peer-latency', on: 'each engine', rows: peerLatency, quick: 'left out' },
  { name: 'latency', on: 'each engine', rows: latency, quick: 'left out' },
  { name: 'check', on: 'each engine', rows: check },
  { name: 'batch', on: 'each engine', rows: batch },
  { name: 'batch-beside', on: 'each engine', rows: batchBeside, quick: 'left out' },
  { name: 'client', on: 'each engine', rows: client, quick: 'left out' },
  { name: 'store-size', on: 'each engine', rows: storeSize, quick: 'left out' },
  { name: 'daemon', on: 'each engine', figures: measureDaemon, quick: 'left out' },
  { name: 'revoke-storm', on: 'each engine', rows: revokeStorm, quick: 'left out' },
  { name: 'writes', on: 'each engine', rows: writes },
  { name: 'revoke-user', on: 'each engine', rows: revokeUser, quick: 'left out' },
  {
    name: 'watching',
    on: 'each engine',
    figures: async ({ site, schedule: { rounds, windowMs } }) => [await measureWatching(site.engine, rounds, windowMs)],
    quick: 'left out',
  },
  {
    name: 'envoy',
    on: 'each engine',
    figures: async ({ site, schedule }) =>
      [await measureEnvoyLatency(site.engine, schedule)].filter((group) => group !== undefined),
    quick: 'left out',
  },
  {
    name: 'near-cache',
    on: 'nothing',
    figures: async ({ schedule }) => [await measureNearCache(schedule.rounds)],
    quick: 'left out',
  },
  { name: 'revocation-table', on: 'nothing', figures: measureRevocationTable, quick: 'left out' },
  { name: 'record-memory', on: 'nothing', figures: measureRecordMemory, quick: 'left out' },
];

/** Those named, or all that a run of this size has; or what to say about a name that is none. */
export function selectParts(names: readonly string[], size: Bench['size']): readonly Part[] | string {
  const unknown = names.filter((name) => !PARTS.some((part) => part.name === name));
  if (unknown.length > 0) {
    return `no part ${unknown.join(', ')}; there are ${PARTS.map(({ name }) => name).join(', ')}`;
  }
  if (names.length > 0) return PARTS.filter(({ name }) => names.includes(name));
  return PARTS.filter(({ quick }) => size !== 'quick' || quick !== 'left out');
}
