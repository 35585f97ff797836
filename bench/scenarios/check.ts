// Check as Envoy asks it: the whole of ext_authz but Envoy, next to an echo of as many bytes.
import type { BenchContext } from '../bench-context.js';
import { checkCall } from '../corpus.js';
import { toEchoPath } from '../echo-path.js';
import { ANY, toWireCall } from '../load/wire-call.js';
import { createCapacityRow } from '../load/wire-rows.js';
import type { Group } from '../rounds.js';
import { toRowName } from './sides.js';
import { FULLEST } from './unary-loads.js';

/** status, and how many bytes it has: none when all is well. */
const ALLOWED_BYTES = 2;

export async function check({ site, servers, answers, cleanUp }: BenchContext): Promise<readonly Group[]> {
  const call = checkCall();
  const tls = site.workspace.tls('proxy');
  const allowed = [...answers.samples.check.subarray(0, ALLOWED_BYTES)];
  const echo = {
    name: toRowName('echo', 'mutual TLS'),
    pid: servers.echo.pid,
    port: servers.echo.mtls,
    tls,
    call: toWireCall({ ...call, path: toEchoPath(answers.check) }, ANY),
  };
  const ours = {
    name: 'Check',
    pid: site.daemon.pid,
    port: site.port,
    tls,
    call: toWireCall(call, allowed),
    baselines: [echo.name],
  };
  const { concurrency, load } = FULLEST;
  const rows = [await createCapacityRow(echo, load, cleanUp), await createCapacityRow(ours, load, cleanUp)];
  return [{ title: `Check, mutual TLS, ${concurrency} concurrent, ${site.engine.name}`, rows }];
}
