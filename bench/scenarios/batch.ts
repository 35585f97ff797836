// BatchIntrospect of 1,000 tokens, counted in tokens, next to what the transport and Redis alone would give.
import { BATCH_TOKENS } from '../answers.js';
import type { BenchContext } from '../bench-context.js';
import { startChild } from '../child.js';
import { ASKED, batchCall } from '../corpus.js';
import { toEchoPath } from '../echo-path.js';
import { type Load, type LoadGenerator, startLoadGenerator } from '../load-generator.js';
import type { MgetQuestion } from '../mget-loop.js';
import type { Group, Row } from '../rounds.js';

const LOAD: Load = { connections: 2, streams: 2 };
/** About what a record of these tokens takes in a store. */
const RECORD_BYTES = 250;
const ECHO = 'grpc-js echo of as many bytes';
const MGET = 'ioredis MGET of 1000';

export async function batch(context: BenchContext): Promise<readonly Group[]> {
  const { site, echo, answers, redis, cleanUp } = context;
  const call = batchCall(BATCH_TOKENS);
  const load = await site.startLoad('whole', call, LOAD);
  cleanUp(load.stop);
  const echoLoad = await startLoadGenerator({
    target: `127.0.0.1:${echo.ports.mtls}`,
    tls: site.workspace.tls('whole'),
    call: { ...call, path: toEchoPath(answers.batch) },
    load: LOAD,
  });
  cleanUp(echoLoad.stop);
  const mget = redis === undefined ? [] : [await createMgetRow(context, redis.port)];
  const baselines = [ECHO, ...mget.map(({ name }) => name)];
  const concurrency = LOAD.connections * LOAD.streams;
  return [
    {
      title: `BatchIntrospect of ${BATCH_TOKENS}, mutual TLS, ${concurrency} concurrent, ${site.engine.name}`,
      rows: [
        { name: ECHO, pid: echo.process.pid, ...countTokens(echoLoad) },
        ...mget,
        { name: 'BatchIntrospect', pid: site.daemon.pid, baselines, ...countTokens(load) },
      ],
    },
  ];
}

function countTokens(load: LoadGenerator): Pick<Row, 'unit' | 'run'> {
  return {
    unit: 'tokens',
    run: async (windowMs) => {
      const { perSecond, failed } = await load.run(windowMs);
      return { perSecond: perSecond * BATCH_TOKENS, failed };
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
