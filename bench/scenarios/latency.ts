// How long a call takes at a rate that is far from the limit: as services see it.
import type { BenchContext } from '../bench-context.js';
import { createTimedRow } from '../load/wire-rows.js';
import type { Group, Row } from '../rounds.js';
import { createSides, toRowName } from './sides.js';
import { FULLEST } from './unary-loads.js';

const RATES = [1000, 5000];

export async function latency(context: BenchContext): Promise<readonly Group[]> {
  const findSide = createSides(context);
  const groups: Group[] = [];
  for (const perSecond of RATES) {
    const rows: Row[] = [];
    for (const name of ['echo', 'whole'] as const) {
      const side = findSide(name, 'mutual TLS');
      if (side === undefined) continue;
      const baselines = name === 'echo' ? [] : [toRowName('echo', 'mutual TLS')];
      rows.push(
        await createTimedRow({ ...side, baselines }, FULLEST.load, { perSecond, pace: 'spin' }, context.cleanUp),
      );
    }
    const rate = perSecond.toLocaleString('en-US');
    groups.push({ title: `Latency of Introspect at ${rate}/s, mutual TLS, ${context.site.engine.name}`, rows });
  }
  return groups;
}
