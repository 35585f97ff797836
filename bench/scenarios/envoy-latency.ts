// What ext_authz adds to a request through Envoy: the same Envoy and listener, a route that asks and one that does not.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDaemonProcess } from '../../src/cli/daemon-process.js';
import { type Envoy, startEnvoy } from '../../test/envoy/support/envoy.js';
import { findEnvoyBinary } from '../../test/envoy/support/envoy-binary.js';
import { registerCall, toToken } from '../corpus.js';
import type { Engine } from '../engines.js';
import { type FigureGroup, toFigureRows } from '../figures.js';
import { startLoadGenerator } from '../load-generator.js';
import type { Schedule } from '../rounds.js';
import { createBenchWorkspace, toDaemonRequest } from '../site.js';

/** Far below what any part of it could do: latency is measured, and not a queue. */
const PER_SECOND = 200;
const TOKEN = { first: 0, count: 1 } as const;

interface Sample {
  readonly plain50: number;
  readonly asked50: number;
  readonly added50: number;
  readonly plain99: number;
  readonly asked99: number;
  readonly added99: number;
}

/** Undefined, and a word about it, where there is no Envoy. */
export async function measureEnvoyLatency(
  engine: Engine,
  { rounds, windowMs, warmUpMs }: Schedule,
): Promise<FigureGroup | undefined> {
  const binary = findEnvoyBinary();
  if (typeof binary === 'string') return undefined;
  // Late answers are what is measured: none is cut off.
  const config = () => ({ ...engine.config(), ext_authz: { budget: '5s' }, limits: { store_timeout: '5s' } });
  const workspace = await createBenchWorkspace({ ...engine, config });
  const daemon = await startDaemonProcess(toDaemonRequest(workspace));
  const register = await startLoadGenerator({
    target: daemon.target,
    tls: workspace.tls('issuer'),
    call: registerCall(1, TOKEN),
    load: { connections: 1, streams: 1 },
  });
  await register.send(1);
  await register.stop();
  const at = (name: string) => join(workspace.folder, name);
  const serverTls = { certFile: at('server.crt'), keyFile: at('server.key') };
  const envoy = await startEnvoy({
    binary,
    tls: workspace.tls('proxy'),
    serverTls,
    daemons: [daemon.target],
    patience: 'long',
  });
  const samples: Sample[] = [];
  await sampleLatency(envoy, '/', warmUpMs);
  for (let round = 0; round < rounds; round++) {
    const [plain, asked] = [
      await sampleLatency(envoy, '/healthz', windowMs),
      await sampleLatency(envoy, '/', windowMs),
    ];
    const [plain50, asked50] = [findQuantile(plain, 0.5), findQuantile(asked, 0.5)];
    const [plain99, asked99] = [findQuantile(plain, 0.99), findQuantile(asked, 0.99)];
    samples.push({ plain50, asked50, added50: asked50 - plain50, plain99, asked99, added99: asked99 - plain99 });
  }
  await envoy.stop();
  await daemon.stop('SIGKILL');
  return {
    title: `A request through Envoy ${binary.version}, ${PER_SECOND} a second, ${engine.name}`,
    rows: toFigureRows(samples, {
      plain50: { name: 'without ext_authz, p50', unit: 'ms' },
      asked50: { name: 'with ext_authz, p50', unit: 'ms' },
      added50: { name: 'added, p50', unit: 'ms', goal: 'under 1 ms' },
      plain99: { name: 'without ext_authz, p99', unit: 'ms' },
      asked99: { name: 'with ext_authz, p99', unit: 'ms' },
      added99: { name: 'added, p99', unit: 'ms' },
    }),
  };
}

/** Milliseconds of each request, in order of size. Throws when one is refused. */
async function sampleLatency(envoy: Envoy, path: string, windowMs: number): Promise<readonly number[]> {
  const headers = { authorization: `Bearer ${toToken(TOKEN.first)}` };
  const startedMs = performance.now();
  const latencies: Promise<number>[] = [];
  for (let index = 0; index < (windowMs / 1000) * PER_SECOND; index++) {
    await sleep(startedMs + (index * 1000) / PER_SECOND - performance.now());
    const sentMs = performance.now();
    const asked = envoy.ask(path, { headers }).then(({ status }) => {
      if (status !== 200) throw new Error(`${path}: ${status}`);
      return performance.now() - sentMs;
    });
    latencies.push(asked);
  }
  return (await Promise.all(latencies)).toSorted((a, b) => a - b);
}

function findQuantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
