// What callers notice of a thousand revocations a second.
import type { BenchContext } from '../bench-context.js';
import { yieldProcessor } from '../child.js';
import { REVOKED, revokeCall } from '../corpus.js';
import type { Engine } from '../engines.js';
import { startWireLoad } from '../load/start-wire-load.js';
import { ANY, toWireCall } from '../load/wire-call.js';
import { createTimedRow } from '../load/wire-rows.js';
import type { Group, Row } from '../rounds.js';
import { type Site, startSite } from '../site.js';
import { createSides } from './sides.js';
import { FULLEST } from './unary-loads.js';

/** Well below the capacity of both together. */
const INTROSPECT_RATE = 2000;
const REVOKE_RATE = 1000;
/** Below this it was no such storm. */
const LEAST_REVOKED = 0.95;

export const QUIET = 'Introspect, nothing revoked';
export const STORMY = `Introspect, ${REVOKE_RATE.toLocaleString('en-US')} revocations a second meanwhile`;

/** What revocations cost a call on the same processors, whatever our server does. */
export const REVOKED_ELSEWHERE = `Introspect, ${REVOKE_RATE.toLocaleString('en-US')} revocations a second at another server meanwhile`;

export function toStormTitle(engine: Engine['name']): string {
  return `Latency of Introspect at ${INTROSPECT_RATE.toLocaleString('en-US')}/s beside revocations, mutual TLS, ${engine}`;
}

export async function revokeStorm(context: BenchContext): Promise<readonly Group[]> {
  const { site, cleanUp } = context;
  const side = createSides(context)('whole', 'mutual TLS');
  if (side === undefined) return [];
  // A generator that never sleeps would leave one processor to all else.
  const loop = { perSecond: INTROSPECT_RATE, pace: 'sleep' } as const;
  const quiet = await createTimedRow(side, FULLEST.load, loop, cleanUp);
  const other = await startSite(site.engine, [REVOKED]);
  cleanUp(other.stop);

  const inStorm = async (at: Site): Promise<Row['run']> => {
    const revokes = await startWireLoad({
      port: at.port,
      tls: at.workspace.tls('issuer'),
      call: toWireCall(revokeCall(), ANY),
      load: FULLEST.load,
    });
    cleanUp(revokes.stop);
    yieldProcessor(revokes);
    return async (windowMs) => {
      const storm = { perSecond: REVOKE_RATE, windowMs, pace: 'sleep' } as const;
      const [asked, revoked] = await Promise.all([quiet.run(windowMs), revokes.runAt(storm)]);
      const failed = asked.failed + revoked.failed;
      return { ...asked, failed, keptUp: revoked.perSecond >= LEAST_REVOKED * REVOKE_RATE };
    };
  };

  return [
    {
      title: toStormTitle(site.engine.name),
      rows: [
        { ...quiet, name: QUIET },
        { ...quiet, name: REVOKED_ELSEWHERE, baselines: [QUIET], busyOnPurpose: true, run: await inStorm(other) },
        {
          ...quiet,
          name: STORMY,
          baselines: [QUIET, REVOKED_ELSEWHERE],
          busyOnPurpose: true,
          run: await inStorm(site),
        },
      ],
    },
  ];
}
