// What a service gets that asks through @introspectd/client: from memory, one by one, and coalesced.
import type { BenchContext } from '../bench-context.js';
import type { CacheQuestion, CacheSample } from '../cache-sampler.js';
import { startChild } from '../child.js';
import type { ClientQuestion } from '../client-loop.js';
import { askedTokens } from '../corpus.js';
import { type FigureGroup, toFigureRows } from '../figures.js';
import type { Group, Row, RunOutcome } from '../rounds.js';

const TOKENS = 1_000;
const CALLERS = 100;
const ENTRIES = 100_000;
const PLAIN = `plain unary calls, ${CALLERS} callers`;

/** The store behind it makes no difference to the client: with one of them. */
export async function client(context: BenchContext): Promise<readonly Group[]> {
  if (context.site.engine.name !== 'lmdb') return [];
  return [
    {
      title: `@introspectd/client against ${context.site.engine.name}; the CPU is that of the client’s process`,
      rows: [
        await createRow(context, 'from memory', 1, {}),
        await createRow(context, PLAIN, CALLERS, { cache: false, coalesce: false }),
        {
          ...(await createRow(context, `coalesced calls, ${CALLERS} callers`, CALLERS, { cache: false })),
          baselines: [PLAIN],
        },
      ],
    },
  ];
}

async function createRow(
  { site, cleanUp }: BenchContext,
  name: string,
  callers: number,
  options: object,
): Promise<Row> {
  const loop = startChild<ClientQuestion, RunOutcome>('client-loop');
  cleanUp(loop.stop);
  const connection = { target: site.daemon.target, tls: site.workspace.tls('whole') };
  await loop.ask({ kind: 'connect', tokens: askedTokens(TOKENS), options: { ...connection, ...options } });
  return { name, unit: 'calls', pid: loop.pid, run: (windowMs) => loop.ask({ kind: 'run', windowMs, callers }) };
}

/** Each round in a process of its own, whose heap is new. */
export async function measureNearCache(rounds: number): Promise<FigureGroup> {
  const samples: CacheSample[] = [];
  for (let round = 0; round < rounds; round++) {
    const sampler = startChild<CacheQuestion, CacheSample>('cache-sampler');
    samples.push(await sampler.ask({ entries: ENTRIES }));
    await sampler.stop();
  }
  return {
    title: `The cache of @introspectd/client, ${ENTRIES.toLocaleString('en-US')} active answers`,
    rows: toFigureRows(samples, {
      bytes: { name: 'memory of an answer', unit: 'B' },
      countedBytes: { name: 'what maxBytes counts for it', unit: 'B' },
      dropOneMs: { name: 'drop of a tag of one answer', unit: 'ms' },
      dropTenthMs: { name: 'drop of a tag of a tenth of them', unit: 'ms' },
      dropAllMs: { name: 'drop of a tag of all of them', unit: 'ms' },
    }),
  };
}
