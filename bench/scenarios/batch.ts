// BatchIntrospect, counted in tokens, next to what the transport and Redis alone would give.
import { BATCH_TOKENS } from '../answers.js';
import type { BenchContext } from '../bench-context.js';
import { startChild } from '../child.js';
import { ASKED, batchCall } from '../corpus.js';
import { toEchoPath } from '../echo-path.js';
import type { Engine } from '../engines.js';
import { type Load, type LoadGenerator, startLoadGenerator } from '../load-generator.js';
import type { MgetQuestion } from '../mget-loop.js';
import type { Group, Row } from '../rounds.js';

const LOAD: Load = { connections: 2, streams: 2 };
/** Beside the full one, which is compared. */
const SMALLER = [10, 100];
/** About what a record of these tokens takes in a store. */
const RECORD_BYTES = 250;
export const ECHO_OF_BATCH = 'grpc-js echo of as many bytes';
export const MGET = `ioredis MGET of ${BATCH_TOKENS}`;

export async function batch(context: BenchContext): Promise<readonly Group[]> {
  const { site, servers, answers, redis, size, cleanUp } = context;
  const echoLoad = await startLoadGenerator({
    target: `127.0.0.1:${servers.echo.mtls}`,
    tls: site.workspace.tls('whole'),
    call: { ...batchCall(BATCH_TOKENS), path: toEchoPath(answers.batch) },
    load: LOAD,
  });
  cleanUp(echoLoad.stop);
  const mget = redis === undefined ? [] : [await createMgetRow(context, redis.port)];
  const baselines = [ECHO_OF_BATCH, ...mget.map(({ name }) => name)];
  const smaller = size === 'quick' ? [] : SMALLER;
  return [
    {
      title: toBatchTitle(site.engine.name),
      rows: [
        { name: ECHO_OF_BATCH, pid: servers.echo.pid, ...countTokens(echoLoad, BATCH_TOKENS) },
        ...mget,
        { ...(await createBatchRow(context, BATCH_TOKENS)), baselines },
        ...(await Promise.all(smaller.map((tokens) => createBatchRow(context, tokens)))),
      ],
    },
  ];
}

export function toBatchTitle(engine: Engine['name']): string {
  return `BatchIntrospect, mutual TLS, ${LOAD.connections * LOAD.streams} concurrent, ${engine}`;
}

export function toBatchName(tokens: number): string {
  return `BatchIntrospect of ${tokens}`;
}

async function createBatchRow({ site, cleanUp }: BenchContext, tokens: number): Promise<Row> {
  const load = await site.startLoad('whole', batchCall(tokens), LOAD);
  cleanUp(load.stop);
  return { name: toBatchName(tokens), pid: site.daemon.pid, ...countTokens(load, tokens) };
}

function countTokens(load: LoadGenerator, tokens: number): Pick<Row, 'unit' | 'run'> {
  return {
    unit: 'tokens',
    run: async (windowMs) => {
      const { perSecond, failed } = await load.run(windowMs);
      return { perSecond: perSecond * tokens, failed };
    },
  };
}

async function createMgetRow({ cleanUp }: BenchContext, port: number): Promise<Row> {
  const loop = startChild<MgetQuestion, number>('mget-loop');
  cleanUp(loop.stop);
  await loop.ask({ kind: 'fill', port, keys: ASKED.count, recordBytes: RECORD_BYTES });
  const run = async (windowMs: number) => ({ perSecond: await loop.ask({ kind: 'run', windowMs }), failed: 0 });
  return { name: MGET, unit: 'keys', pid: loop.pid, run };
}
