// What callers notice of batch jobs that ask as fast as they can.
import { readFileSync } from 'node:fs';
import { BATCH_TOKENS } from '../answers.js';
import type { BenchContext } from '../bench-context.js';
import { startChild, yieldProcessor } from '../child.js';
import { ASKED, batchCall, streamCall } from '../corpus.js';
import type { Engine } from '../engines.js';
import { startWireLoad } from '../load/start-wire-load.js';
import type { Group, Row, RunOutcome } from '../rounds.js';
import { startSite } from '../site.js';
import type { StreamAnswer, StreamQuestion } from '../stream-load.js';
import { createSides } from './sides.js';
import { FULLEST } from './unary-loads.js';

/** A tenth or so of what a daemon can do. */
const INTROSPECT_RATE = 1000;
const BATCH_LOAD = { connections: 2, streams: 2 };
const STREAMS = 4;

export const ALONE = 'Introspect, no batch job';
/** What the job's client and a busy server cost a call on the same processors, whatever our server does. */
export const ELSEWHERE = `Introspect, BatchIntrospect of ${BATCH_TOKENS} flat out at another server meanwhile`;
export const BESIDE_BATCHES = `Introspect, BatchIntrospect of ${BATCH_TOKENS} flat out meanwhile`;
export const BESIDE_STREAMS = `Introspect, StreamIntrospect of ${BATCH_TOKENS} flat out meanwhile`;

export function toBesideTitle(engine: Engine['name']): string {
  return `Latency of Introspect at ${INTROSPECT_RATE.toLocaleString('en-US')}/s beside batch jobs, mutual TLS, ${engine}`;
}

export async function batchBeside(context: BenchContext): Promise<readonly Group[]> {
  const { site, cleanUp } = context;
  const side = createSides(context)('whole', 'mutual TLS');
  if (side === undefined) return [];
  const introspect = await startWireLoad({ ...side, load: FULLEST.load });
  cleanUp(introspect.stop);
  // A generator that never sleeps would take the processor that the job's client needs.
  const loop = { perSecond: INTROSPECT_RATE, pace: 'sleep' } as const;
  const ask = (windowMs: number) => introspect.runAt({ ...loop, windowMs });
  const alone: Row = { name: ALONE, pid: side.pid, unit: 'calls', timedAt: INTROSPECT_RATE, run: ask };
  const batches = await site.startLoad('whole', batchCall(BATCH_TOKENS), BATCH_LOAD);
  cleanUp(batches.stop);
  yieldProcessor(batches);
  const streams = await startStreams(context);
  const other = await startSite(site.engine, [ASKED]);
  cleanUp(other.stop);
  const elsewhere = await other.startLoad('whole', batchCall(BATCH_TOKENS), BATCH_LOAD);
  cleanUp(elsewhere.stop);
  yieldProcessor(elsewhere);

  const beside = (name: string, job: (windowMs: number) => Promise<RunOutcome>, baselines = [ALONE]): Row => ({
    ...alone,
    name,
    baselines,
    busyOnPurpose: true,
    run: async (windowMs) => {
      const [asked, worked] = await Promise.all([ask(windowMs), job(windowMs)]);
      // A job that gets nowhere is no job.
      return worked.perSecond > 0 ? { ...asked, failed: asked.failed + worked.failed } : { ...asked, perSecond: 0 };
    },
  });

  return [
    {
      title: toBesideTitle(site.engine.name),
      rows: [
        alone,
        beside(ELSEWHERE, elsewhere.run),
        beside(BESIDE_BATCHES, batches.run, [ALONE, ELSEWHERE]),
        beside(BESIDE_STREAMS, streams, [ALONE, ELSEWHERE]),
      ],
    },
    {
      title: `Batch jobs, mutual TLS, ${STREAMS} concurrent, ${site.engine.name}`,
      rows: [
        {
          name: `BatchIntrospect of ${BATCH_TOKENS}`,
          unit: 'tokens',
          pid: site.daemon.pid,
          run: inTokens(batches.run),
        },
        { name: `StreamIntrospect of ${BATCH_TOKENS}`, unit: 'tokens', pid: site.daemon.pid, run: inTokens(streams) },
      ],
    },
  ];
}

async function startStreams({ site, cleanUp }: BenchContext): Promise<(windowMs: number) => Promise<RunOutcome>> {
  const child = startChild<StreamQuestion, StreamAnswer>('stream-load');
  cleanUp(child.stop);
  yieldProcessor(child);
  const { caFile, certFile, keyFile } = site.workspace.tls('whole');
  const [ca, cert, key] = [caFile, certFile, keyFile].map((file) => readFileSync(file, 'utf8')) as [
    string,
    string,
    string,
  ];
  const target = { authority: site.daemon.target, tls: { ca, cert, key }, connections: 1, streams: STREAMS };
  await child.ask({ kind: 'connect', target, call: streamCall(BATCH_TOKENS) });
  return async (windowMs) => {
    const { answered, failed, elapsedMs } = await child.ask({ kind: 'run', windowMs });
    return { perSecond: (answered * 1000) / elapsedMs, failed };
  };
}

function inTokens(run: (windowMs: number) => Promise<RunOutcome>): Row['run'] {
  return async (windowMs) => {
    const { perSecond, failed } = await run(windowMs);
    return { perSecond: perSecond * BATCH_TOKENS, failed };
  };
}
