// Introspect as it is served: a daemon as shipped, mutual TLS, another token at every call.
import type { BenchContext } from '../bench-context.js';
import { introspectCall } from '../corpus.js';
import { toEchoPath } from '../echo-path.js';
import { type Load, startLoadGenerator } from '../load-generator.js';
import type { Group, Row } from '../rounds.js';
import type { CallerName } from '../site.js';
import { ECHO, FILTERED, PASSED_THROUGH } from './introspect-rows.js';

export function introspectMtls(context: BenchContext): Promise<readonly Group[]> {
  return Promise.all(
    context.loads.map(async ({ concurrency, load }) => ({
      title: `Introspect, mutual TLS, ${concurrency} concurrent, ${context.site.engine.name}`,
      rows: await createRows(context, load),
    })),
  );
}

async function createRows({ site, echo, answers, cleanUp }: BenchContext, load: Load): Promise<readonly Row[]> {
  const call = introspectCall();

  async function createRow(name: string, caller: CallerName): Promise<Row> {
    const { run, stop } = await site.startLoad(caller, call, load);
    cleanUp(stop);
    return { name, unit: 'calls', pid: site.daemon.pid, baselines: [ECHO], run };
  }

  const { run, stop } = await startLoadGenerator({
    target: `127.0.0.1:${echo.ports.mtls}`,
    tls: site.workspace.tls('whole'),
    call: { ...call, path: toEchoPath(answers.whole) },
    load,
  });
  cleanUp(stop);
  return [
    { name: ECHO, unit: 'calls', pid: echo.process.pid, run },
    await createRow(PASSED_THROUGH, 'whole'),
    await createRow(FILTERED, 'filtered'),
  ];
}
