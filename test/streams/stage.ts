// A daemon on an engine, and what jobs and importers of it do.
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StreamIntrospectResponse } from '@introspectd/client/gen/introspectd/v1/introspection_service';
import type { DevCaller } from '../../src/cli/dev-workspace.js';
import { formatNewKeys } from '../../src/core/key-ring.js';
import { AUDIENCE, FOREIGN_ISSUER, ISSUER } from '../cases/introspect-cases.js';
import { toDetails } from '../grpc/ask.js';
import { openImport, openIntrospectStream, type TestChunkStream } from '../support/chunk-stream.js';
import { startTestDaemon, type TestDaemon } from '../support/daemon.js';
import { REDIS_MISSING, startRedis, type TestRedis } from '../support/redis-server.js';

const OF_ISSUER = { issuers: [ISSUER], audiences: [AUDIENCE] };
/** Nobody's machine is so slow that it fills while a test runs. */
const SLOW = { per_second: 1, burst: 250 };

const CALLERS: readonly DevCaller[] = [
  { name: 'login', permissions: ['register'], issuers: [ISSUER, FOREIGN_ISSUER], audiences: ['*'] },
  { name: 'importer', permissions: ['register'], issuers: [ISSUER], audiences: ['*'] },
  { name: 'slow-importer', permissions: ['register'], issuers: [ISSUER], audiences: ['*'], rate: SLOW },
  { name: 'orders', permissions: ['introspect', 'batch'], ...OF_ISSUER },
  { name: 'security', permissions: [], revoke: ['token', 'subject'], issuers: [ISSUER], audiences: ['*'] },
  { name: 'job', permissions: ['stream', 'batch'], ...OF_ISSUER },
  { name: 'auditor', permissions: ['stream', 'batch', 'explain'], ...OF_ISSUER },
  { name: 'slow-job', permissions: ['stream', 'batch'], ...OF_ISSUER, rate: SLOW },
];

export interface StreamStage {
  readonly daemon: TestDaemon;
  readonly redis: TestRedis | undefined;
  introspect(caller?: string): ReturnType<typeof openIntrospectStream>;
  import(caller?: string): ReturnType<typeof openImport>;
  close(): Promise<void>;
}

type StartStage = (config?: Readonly<Record<string, unknown>>) => Promise<StreamStage>;

/** The engines of a daemon, and why one cannot be tested here. */
export const ENGINES: readonly {
  readonly engine: string;
  readonly missing: string | false;
  readonly start: StartStage;
}[] = [
  { engine: 'LMDB', missing: false, start: async (config = {}) => toStage(await start(config), undefined) },
  { engine: 'Redis', missing: REDIS_MISSING, start: startOnRedis },
];

async function startOnRedis(config: Readonly<Record<string, unknown>> = {}): Promise<StreamStage> {
  const redis = await startRedis(['--appendonly', 'yes', '--appendfsync', 'always']);
  const keysFile = join(redis.folder, 'introspectd.keys');
  writeFileSync(keysFile, formatNewKeys(randomBytes), { mode: 0o600 });
  return toStage(await start({ store: { kind: 'redis', url: redis.url }, keys_file: keysFile, ...config }), redis);
}

/** What is tested is not how long a busy machine takes. */
const PATIENT = { limits: { store_timeout: '5s' } };

function start(config: Readonly<Record<string, unknown>>): Promise<TestDaemon> {
  return startTestDaemon({ callers: CALLERS, config: { ...PATIENT, ...config } });
}

function toStage(daemon: TestDaemon, redis: TestRedis | undefined): StreamStage {
  const open: { close(): void }[] = [];
  const keep = <Stream extends TestChunkStream<never, unknown>>(stream: Stream): Stream => {
    open.push(stream);
    return stream;
  };
  const connect = (caller: string) => ({ target: daemon.process.target, tls: daemon.workspace.tls(caller) });
  return {
    daemon,
    redis,
    introspect: (caller = 'job') => keep(openIntrospectStream(connect(caller))),
    import: (caller = 'importer') => keep(openImport(connect(caller))),
    close: async () => {
      for (const stream of open) stream.close();
      await daemon.stop();
      await redis?.close();
    },
  };
}

/** Which of the tokens of a chunk are active; what the chunk failed with otherwise. */
export function toOutcome({ outcome }: StreamIntrospectResponse): readonly (boolean | string | undefined)[] | string {
  if (outcome?.$case !== 'batch') return toDetails(outcome?.value.details ?? []).reason ?? 'no outcome';
  return outcome.value.results.map(({ outcome: result }) =>
    result?.$case === 'response' ? result.value.active : toDetails(result?.value.details ?? []).reason,
  );
}

export function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}
