// What must be reached, and what is wanted: medians of ratios, and memory.
import { BATCH_TOKENS } from './answers.js';
import type { Engine } from './engines.js';
import type { Report } from './report.js';
import { MGET, toBatchName, toBatchTitle } from './scenarios/batch.js';
import { ALONE, BESIDE_BATCHES, BESIDE_STREAMS, ELSEWHERE, toBesideTitle } from './scenarios/batch-beside.js';
import { toIntrospectTitle } from './scenarios/introspect.js';
import { toPeerLatencyTitle } from './scenarios/peer-latency.js';
import { toRecordName } from './scenarios/record-memory.js';
import { QUIET, REVOKED_ELSEWHERE, STORMY, toStormTitle } from './scenarios/revoke-storm.js';
import { type SIDES, TRANSPORTS, type Transport, toRowName } from './scenarios/sides.js';
import { LARGE, SMALL, toSizeName, toSizeTitle } from './scenarios/store-size.js';
import { FULLEST } from './scenarios/unary-loads.js';
import type { Spread } from './statistics.js';

export interface Bound {
  readonly what: string;
  readonly is: 'at least' | 'at most' | 'below';
  readonly bound: number;
  readonly goal?: number;
  /** Undefined: not measured. "excluded": a side of it did not count. */
  readonly find: (report: Report) => Spread | 'excluded' | undefined;
}

export type BoundVerdict = 'goal met' | 'met' | 'not met' | 'excluded' | 'not measured';

export interface JudgedBound {
  readonly bound: Bound;
  readonly measured: Spread | undefined;
  readonly verdict: BoundVerdict;
}

const ENGINES: readonly Engine['name'][] = ['lmdb', 'redis'];

export const BOUNDS: readonly Bound[] = [
  ...ofEngines((engine) =>
    TRANSPORTS.map((transport) => ({
      what: `unary Introspect / grpc-js echo, ${transport}, ${engine}`,
      is: 'at least',
      bound: 0.85,
      goal: 0.95,
      find: ofIntrospect(engine, transport, 'whole', 'echo'),
    })),
  ),
  ...ofEngines((engine) =>
    TRANSPORTS.flatMap((transport) => [
      {
        what: `unary Introspect / oidc-provider, ${transport}, ${engine}`,
        is: 'at least',
        bound: 3.5,
        find: ofIntrospect(engine, transport, 'whole', 'oidc'),
      },
      {
        what: `p99 / that of oidc-provider, at half of its capacity, ${transport}, ${engine}`,
        is: 'below',
        bound: 1,
        find: findRatio(
          toPeerLatencyTitle(transport, engine),
          toRowName('whole', transport),
          toRowName('oidc', transport),
        ),
      },
    ]),
  ),
  ...ofEngines((engine) => [
    {
      what: `tokens/s of ${toBatchName(BATCH_TOKENS)} / ${MGET}, ${engine}`,
      is: 'at least',
      bound: 0.3,
      goal: 0.4,
      find: findRatio(toBatchTitle(engine), toBatchName(BATCH_TOKENS), MGET),
    },
    {
      what: `filtered claims / full claims, ${engine}`,
      is: 'at least',
      bound: 0.9,
      find: ofIntrospect(engine, 'mutual TLS', 'filtered', 'whole'),
    },
    {
      what: `with tags / without, ${engine}`,
      is: 'at least',
      bound: 0.9,
      find: ofIntrospect(engine, 'mutual TLS', 'tagged', 'whole'),
    },
    {
      what: `throughput at ${toSizeName(LARGE)} / at ${toSizeName(SMALL)}, ${engine}`,
      is: 'at least',
      bound: 0.9,
      find: findRatio(toSizeTitle('capacity', engine), toSizeName(LARGE), toSizeName(SMALL)),
    },
    {
      what: `p99 at ${toSizeName(LARGE)} / at ${toSizeName(SMALL)}, ${engine}`,
      is: 'at most',
      bound: 1.5,
      find: findRatio(toSizeTitle('latency', engine), toSizeName(LARGE), toSizeName(SMALL)),
    },
    {
      what: `p99 while 1,000 revocations a second arrive / without, ${engine}`,
      is: 'at most',
      bound: 1.5,
      find: findRatio(toStormTitle(engine), STORMY, QUIET),
    },
    {
      what: `p99 while 1,000 revocations a second arrive / at another server, ${engine}`,
      is: 'at most',
      bound: 1.5,
      find: findRatio(toStormTitle(engine), STORMY, REVOKED_ELSEWHERE),
    },
    ...[BESIDE_BATCHES, BESIDE_STREAMS].flatMap((beside): readonly Bound[] => [
      {
        what: `p99 of ${beside} / without, ${engine}`,
        is: 'at most',
        bound: 2,
        find: findRatio(toBesideTitle(engine), beside, ALONE),
      },
      {
        what: `p99 of ${beside} / with the batches at another server, ${engine}`,
        is: 'at most',
        bound: 2,
        find: findRatio(toBesideTitle(engine), beside, ELSEWHERE),
      },
    ]),
    {
      what: `mutual TLS / plaintext, unary, ${engine}`,
      is: 'at least',
      bound: 0.75,
      find: findRatio(
        toIntrospectTitle(FULLEST.concurrency, engine),
        toRowName('whole', 'mutual TLS'),
        toRowName('whole', 'plaintext'),
      ),
    },
  ]),
  {
    what: 'Redis, bytes of a token with 150 B of claims',
    is: 'at most',
    bound: 400,
    find: findFigure(`${toRecordName('of an access token', 'alone')} (`),
  },
  {
    what: 'Redis, bytes of a token / plain SET PXAT of as many',
    is: 'at most',
    bound: 1.1,
    find: findFigure(toRecordName('of an access token', 'over SET')),
  },
];

export function judgeBound(bound: Bound, report: Report): JudgedBound {
  const found = bound.find(report);
  if (found === undefined) return { bound, measured: undefined, verdict: 'not measured' };
  if (found === 'excluded') return { bound, measured: undefined, verdict: 'excluded' };
  return { bound, measured: found, verdict: judge(bound, found.median) };
}

function judge({ is, bound, goal }: Bound, median: number): BoundVerdict {
  if (is === 'below') return median < bound ? 'met' : 'not met';
  if (is === 'at most') return median <= bound ? 'met' : 'not met';
  if (goal !== undefined && median >= goal) return 'goal met';
  return median >= bound ? 'met' : 'not met';
}

function ofEngines(toBounds: (engine: Engine['name']) => readonly Bound[]): readonly Bound[] {
  return ENGINES.flatMap(toBounds);
}

type SideName = keyof typeof SIDES;

function ofIntrospect(engine: Engine['name'], transport: Transport, side: SideName, baseline: SideName): Bound['find'] {
  const title = toIntrospectTitle(FULLEST.concurrency, engine);
  return findRatio(title, toRowName(side, transport), toRowName(baseline, transport));
}

function findRatio(title: string, name: string, baseline: string): Bound['find'] {
  return ({ parts }) => {
    const group = parts.flatMap(({ groups }) => groups).find((candidate) => candidate.title === title);
    const ratio = group?.ratios.find((candidate) => candidate.name === name && candidate.baseline === baseline);
    return ratio && (ratio.quotient ?? 'excluded');
  };
}

function findFigure(beginning: string): Bound['find'] {
  return ({ parts }) =>
    parts
      .flatMap(({ figures }) => figures)
      .flatMap(({ rows }) => rows)
      .find(({ name }) => name.startsWith(beginning))?.value;
}
