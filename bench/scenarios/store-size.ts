// Whether a store that holds a hundred times as many tokens is slower: a daemon for each size, asked in turns.
import type { BenchContext } from '../bench-context.js';
import { introspectCall } from '../corpus.js';
import type { Engine } from '../engines.js';
import { ACTIVE, toWireCall } from '../load/wire-call.js';
import { createCapacityRow, createTimedRow, type Side } from '../load/wire-rows.js';
import type { Group } from '../rounds.js';
import { startSite } from '../site.js';
import { FULLEST } from './unary-loads.js';

export const SMALL = 10_000;
export const LARGE = 1_000_000;
const SIZES = { quick: [SMALL, 30_000], full: [SMALL, LARGE], large: [SMALL, LARGE, 10_000_000] } as const;
const LOOP = { perSecond: 2000, pace: 'spin' } as const;

export async function storeSize(context: BenchContext): Promise<readonly Group[]> {
  const { size, site, cleanUp } = context;
  const sides: Side[] = [];
  for (const count of SIZES[size]) {
    const range = { first: 0, count };
    const sized = await startSite(site.engine, [range]);
    cleanUp(sized.stop);
    sides.push({
      name: toSizeName(count),
      pid: sized.daemon.pid,
      port: sized.port,
      tls: sized.workspace.tls('whole'),
      call: toWireCall(introspectCall(range), ACTIVE),
      baselines: count === SMALL ? [] : [toSizeName(SMALL)],
    });
  }
  return [
    {
      title: toSizeTitle('capacity', site.engine.name),
      rows: await Promise.all(sides.map((side) => createCapacityRow(side, FULLEST.load, cleanUp))),
    },
    {
      title: toSizeTitle('latency', site.engine.name),
      rows: await Promise.all(sides.map((side) => createTimedRow(side, FULLEST.load, LOOP, cleanUp))),
    },
  ];
}

export function toSizeTitle(of: 'capacity' | 'latency', engine: Engine['name']): string {
  const load = of === 'capacity' ? '100 concurrent' : `latency at ${LOOP.perSecond.toLocaleString('en-US')}/s`;
  return `Introspect by the size of the store, ${load}, mutual TLS, ${engine}`;
}

export function toSizeName(tokens: number): string {
  return `${tokens.toLocaleString('en-US')} tokens`;
}
