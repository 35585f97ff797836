// Two daemons with the same keys on one store: one Redis, or one LMDB folder.
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createIntrospectionClient, type IntrospectionClient } from '@introspectd/client';
import { startDaemonProcess } from '../../src/cli/daemon-process.js';
import type { DevCaller } from '../../src/cli/dev-workspace.js';
import { formatNewKeys } from '../../src/core/key-ring.js';
import { startTestDaemon, type TestDaemon } from './daemon.js';
import { REDIS_MISSING, startRedis, type TestRedis } from './redis-server.js';

export interface SharedStore {
  readonly daemon: TestDaemon;
  /** The caller "orders", connected to the second daemon. */
  readonly reader: IntrospectionClient;
  /** The second daemon hears and does nothing meanwhile. */
  withoutReader(work: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

export interface TwoDaemons extends SharedStore {
  readonly redis: TestRedis;
}

/** The engines that several daemons can share, and why one cannot be tested here. */
export const SHARED_STORES = [
  { engine: 'one LMDB folder', missing: false, start: startTwoDaemonsOnFolder },
  { engine: 'one Redis', missing: REDIS_MISSING, start: startTwoDaemons },
] as const;

export async function startTwoDaemons(callers?: readonly DevCaller[]): Promise<TwoDaemons> {
  const redis = await startRedis(['--appendonly', 'yes', '--appendfsync', 'always']);
  const keysFile = join(redis.folder, 'introspectd.keys');
  writeFileSync(keysFile, formatNewKeys(randomBytes), { mode: 0o600 });
  const config = { store: { kind: 'redis', url: redis.url }, keys_file: keysFile };
  const shared = await addSecond(await startTestDaemon({ ...(callers && { callers }), config }));
  return {
    ...shared,
    redis,
    close: async () => {
      await shared.close();
      await redis.close();
    },
  };
}

async function startTwoDaemonsOnFolder(callers?: readonly DevCaller[]): Promise<SharedStore> {
  return addSecond(await startTestDaemon({ ...(callers && { callers }) }));
}

async function addSecond(daemon: TestDaemon): Promise<SharedStore> {
  const { configFile, tls } = daemon.workspace;
  const second = await startDaemonProcess({ configFile, logFile: `${daemon.logFile}.second` });
  const reader = createIntrospectionClient({ target: second.target, tls: tls('orders'), timeoutMs: 5000 });
  return {
    daemon,
    reader,
    withoutReader: async (work) => {
      process.kill(second.pid, 'SIGSTOP');
      try {
        await work();
      } finally {
        process.kill(second.pid, 'SIGCONT');
      }
    },
    close: async () => {
      await reader.close();
      await second.stop('SIGKILL');
      await daemon.stop();
    },
  };
}
