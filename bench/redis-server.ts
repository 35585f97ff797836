// A Redis of the benchmark's own, durable as the daemon demands it: append-only file, nothing evicted.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly version: string;
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 10_000;
const execute = promisify(execFile);

/** Undefined where there is no redis-server and none can be installed. */
export async function startRedisServer(folder: string): Promise<RedisServer | undefined> {
  const version = (await findVersion()) ?? (await install());
  if (version === undefined) return undefined;
  const port = await findFreePort();
  const settings = {
    port,
    bind: '127.0.0.1',
    dir: folder,
    appendonly: 'yes',
    'maxmemory-policy': 'noeviction',
    save: '',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn('redis-server', args, { stdio: 'ignore' });
  process.on('exit', () => child.kill('SIGKILL'));
  await waitUntilReady(child, port);
  const stop = async () => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  return { url: `redis://127.0.0.1:${port}`, port, version, stop };
}

async function findVersion(): Promise<string | undefined> {
  return execute('redis-server', ['--version']).then(
    ({ stdout }) => /v=(\S+)/.exec(stdout)?.[1],
    () => undefined,
  );
}

async function install(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  await execute('apt-get', ['install', '--yes', 'redis-server']).catch(() => undefined);
  return findVersion();
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function waitUntilReady(child: ChildProcess, port: number): Promise<void> {
  const redis = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 50, maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  const failed = once(child, 'exit').then(() => {
    throw new Error('redis-server ended at once');
  });
  const late = new Promise<never>((_resolve, reject) => {
    setTimeout(() => reject(new Error('redis-server does not answer')), START_TIMEOUT_MS).unref();
  });
  late.catch(() => undefined);
  failed.catch(() => undefined);
  try {
    await Promise.race([redis.ping(), failed, late]);
  } finally {
    redis.disconnect();
  }
}
