// Two daemons with the same keys on one Redis.
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createIntrospectionClient, type IntrospectionClient } from '@introspectd/client';
import { startDaemonProcess } from '../../src/cli/daemon-process.js';
import { formatNewKeys } from '../../src/core/key-ring.js';
import { startTestDaemon, type TestDaemon } from './daemon.js';
import { startRedis, type TestRedis } from './redis-server.js';

export interface TwoDaemons {
  readonly redis: TestRedis;
  readonly daemon: TestDaemon;
  /** The caller "orders", connected to the second daemon. */
  readonly reader: IntrospectionClient;
  close(): Promise<void>;
}

export async function startTwoDaemons(): Promise<TwoDaemons> {
  const redis = await startRedis(['--appendonly', 'yes', '--appendfsync', 'always']);
  const keysFile = join(redis.folder, 'introspectd.keys');
  writeFileSync(keysFile, formatNewKeys(randomBytes), { mode: 0o600 });
  const daemon = await startTestDaemon({ config: { store: { kind: 'redis', url: redis.url }, keys_file: keysFile } });
  const { configFile, tls } = daemon.workspace;
  const second = await startDaemonProcess({ configFile, logFile: `${daemon.logFile}.second` });
  const reader = createIntrospectionClient({ target: second.target, tls: tls('orders'), timeoutMs: 5000 });
  return {
    redis,
    daemon,
    reader,
    close: async () => {
      await reader.close();
      await second.stop('SIGKILL');
      await daemon.stop();
      await redis.close();
    },
  };
}
