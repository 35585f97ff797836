// How many calls of Introspect a daemon answers: the ways to ask, both transports, next to the peers.
import type { BenchContext, UnaryLoad } from '../bench-context.js';
import type { Engine } from '../engines.js';
import { createCapacityRow } from '../load/wire-rows.js';
import type { Group, Row } from '../rounds.js';
import { createH2loadRow } from './h2load-row.js';
import { createSides, type SIDES, TRANSPORTS, type Transport, toRowName } from './sides.js';
import { FULLEST, UNARY_LOADS } from './unary-loads.js';

type SideName = keyof typeof SIDES;

/** With few calls in flight there is less to tell. */
const FEW: readonly SideName[] = ['echo', 'whole'];
const QUICK: readonly SideName[] = ['echo', 'oidc', 'whole'];
const ALL: readonly SideName[] = ['echo', 'get', 'oidc', 'whole', 'filtered', 'tagged', 'unknown'];

export async function introspect(context: BenchContext): Promise<readonly Group[]> {
  const groups: Group[] = [];
  for (const load of context.size === 'quick' ? [FULLEST] : UNARY_LOADS) groups.push(await createGroup(context, load));
  return groups;
}

export function toIntrospectTitle(concurrency: number, engine: Engine['name']): string {
  return `Introspect, ${concurrency} concurrent, ${engine}`;
}

async function createGroup(context: BenchContext, { concurrency, load }: UnaryLoad): Promise<Group> {
  const { site, size, cleanUp } = context;
  const findSide = createSides(context);
  const names = concurrency < FULLEST.concurrency ? FEW : size === 'quick' ? QUICK : ALL;
  const rows: Row[] = names === ALL ? [...(await createH2loadRow(context, load))] : [];
  for (const transport of TRANSPORTS) {
    for (const name of names) {
      const side = findSide(name, transport);
      if (side === undefined) continue;
      const baselines = findBaselines(name, transport).filter((baseline) => names.includes(baseline.side));
      const toName = (baseline: Baseline) => toRowName(baseline.side, baseline.transport);
      rows.push(await createCapacityRow({ ...side, baselines: baselines.map(toName) }, load, cleanUp));
    }
  }
  const there = new Set(rows.map(({ name }) => name));
  return {
    title: toIntrospectTitle(concurrency, site.engine.name),
    rows: rows.map((row) => ({
      ...row,
      ...(concurrency === 1 ? { oneAtATime: true } : {}),
      baselines: (row.baselines ?? []).filter((name) => there.has(name)),
    })),
  };
}

interface Baseline {
  readonly side: SideName;
  readonly transport: Transport;
}

function findBaselines(name: SideName, transport: Transport): readonly Baseline[] {
  const same = (...sides: readonly SideName[]) => sides.map((side) => ({ side, transport }));
  if (name === 'echo' || name === 'oidc') return [];
  if (name === 'get') return same('echo');
  if (name !== 'whole') return same('echo', 'whole');
  const plain = transport === 'plaintext' ? [] : [{ side: name, transport: 'plaintext' } as const];
  return [...same('echo', 'get', 'oidc'), ...plain];
}
