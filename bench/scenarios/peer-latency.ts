// Both asked as often as is half of what oidc-provider can do: who is later?
import type { BenchContext } from '../bench-context.js';
import type { Engine } from '../engines.js';
import { startWireLoad } from '../load/start-wire-load.js';
import { createTimedRow, type Side } from '../load/wire-rows.js';
import type { Group } from '../rounds.js';
import { createSides, SIDES, TRANSPORTS, type Transport } from './sides.js';
import { FULLEST } from './unary-loads.js';

const FIND_CAPACITY_MS = { quick: 500, full: 2000, large: 2000 } as const;

export async function peerLatency(context: BenchContext): Promise<readonly Group[]> {
  const { site, size, cleanUp } = context;
  const findSide = createSides(context);
  const groups: Group[] = [];
  for (const transport of TRANSPORTS) {
    const [oidc, whole] = [findSide('oidc', transport), findSide('whole', transport)];
    if (oidc === undefined || whole === undefined) continue;
    const perSecond = Math.floor((await findCapacity(oidc, FIND_CAPACITY_MS[size])) / 2);
    // A generator that never sleeps would leave one processor to a server, to Redis and to what the server has in threads.
    const loop = { perSecond, pace: 'sleep' } as const;
    groups.push({
      title: toPeerLatencyTitle(transport, site.engine.name),
      rows: [
        await createTimedRow(oidc, FULLEST.load, loop, cleanUp),
        await createTimedRow({ ...whole, baselines: [oidc.name] }, FULLEST.load, loop, cleanUp),
      ],
    });
  }
  return groups;
}

export function toPeerLatencyTitle(transport: Transport, engine: Engine['name']): string {
  return `Latency at half of the capacity of ${SIDES.oidc}, ${transport}, ${engine}`;
}

/** Calls a second, warmed up. */
async function findCapacity(side: Side, windowMs: number): Promise<number> {
  const load = await startWireLoad({ ...side, load: FULLEST.load });
  await load.run(windowMs);
  const { perSecond } = await load.run(windowMs);
  await load.stop();
  return perSecond;
}
