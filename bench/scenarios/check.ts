// Check as Envoy asks it: the whole of ext_authz but Envoy, next to an echo of as many bytes.
import type { BenchContext } from '../bench-context.js';
import { checkCall } from '../corpus.js';
import { toEchoPath } from '../echo-path.js';
import { startLoadGenerator } from '../load-generator.js';
import type { Group } from '../rounds.js';
import { ECHO } from './introspect-rows.js';

export function check({ site, echo, answers, loads, cleanUp }: BenchContext): Promise<readonly Group[]> {
  const call = checkCall();
  return Promise.all(
    loads.map(async ({ concurrency, load }) => {
      const ours = await site.startLoad('proxy', call, load);
      const theirs = await startLoadGenerator({
        target: `127.0.0.1:${echo.ports.mtls}`,
        tls: site.workspace.tls('proxy'),
        call: { ...call, path: toEchoPath(answers.check) },
        load,
      });
      cleanUp(ours.stop);
      cleanUp(theirs.stop);
      return {
        title: `Check, mutual TLS, ${concurrency} concurrent, ${site.engine.name}`,
        rows: [
          { name: ECHO, unit: 'calls', pid: echo.process.pid, run: theirs.run },
          { name: 'Check', unit: 'calls', pid: site.daemon.pid, baselines: [ECHO], run: ours.run },
        ],
      } as const;
    }),
  );
}
