// A real Redis of the test's own: a process, a folder and a Unix socket (and a port where one is asked for).
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';

export interface TestRedis {
  readonly folder: string;
  readonly socket: string;
  readonly url: string;
  /** For the test itself: looks at and changes what is there. */
  readonly admin: Redis;
  readonly pid: number;
  signal(name: NodeJS.Signals): void;
  /** Ends the process and starts another on the same folder. */
  restart(signal?: NodeJS.Signals): Promise<void>;
  kill(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

const { CI } = process.env;
const START_TIMEOUT_MS = 10_000;
const PERSISTENT = ['--appendonly', 'yes', '--appendfsync', 'everysec'];

/** Why tests of Redis cannot run here; false when they can. In CI they must. */
export const REDIS_MISSING: string | false = findMissing();

export async function startRedis(settings: readonly string[] = PERSISTENT): Promise<TestRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'introspectd-redis-'));
  const socket = join(folder, 'redis.sock');
  let child: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    const base = ['--port', '0', '--unixsocket', socket, '--dir', folder, '--save', '', '--daemonize', 'no'];
    child = spawn('redis-server', [...base, ...settings], { stdio: 'ignore' });
    await waitForSocket(socket);
  };
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill(signal);
    await exited;
  };

  await start();
  const admin = new Redis({ path: socket, protocol: 2, retryStrategy: () => 20 });
  admin.on('error', () => undefined);
  const redis: TestRedis = {
    folder,
    socket,
    url: `unix:${socket}`,
    admin,
    get pid() {
      return child?.pid ?? 0;
    },
    signal: (name) => void child?.kill(name),
    restart: async (signal = 'SIGTERM') => {
      await stop(signal);
      await start();
    },
    kill: () => stop('SIGKILL'),
    start,
    close: async () => {
      admin.disconnect();
      await stop('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return redis;
}

async function waitForSocket(path: string): Promise<void> {
  const endMs = performance.now() + START_TIMEOUT_MS;
  while (!(await answers(path))) {
    if (performance.now() > endMs) throw new Error('redis-server did not start');
    await sleep(10);
  }
}

/** Loading its data, a server is there and answers with an error. */
async function answers(path: string): Promise<boolean> {
  const socket = createConnection(path);
  try {
    await once(socket, 'connect');
    socket.write('PING\r\n');
    const [reply] = (await once(socket, 'data')) as [Buffer];
    return !reply.toString().startsWith('-LOADING');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function findMissing(): string | false {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
    return false;
  } catch {
    if (CI !== undefined) throw new Error('redis-server is missing, and CI must not skip its tests');
    return 'redis-server is not installed (apt-get install redis-server)';
  }
}
