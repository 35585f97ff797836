// Two daemons on one store, each with a keys file of its own, as on two machines.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createIntrospectionClient, type IntrospectionClient } from '@introspectd/client';
import { type DaemonProcess, startDaemonProcess } from '../../src/cli/daemon-process.js';
import { createDevWorkspace } from '../../src/cli/dev-workspace.js';
import { CALLERS } from './daemon.js';
import { registerTokens, type TestToken } from './register-tokens.js';

export interface KeyedDaemon {
  readonly keysFile: string;
  /** Of the process that runs now; undefined between two. */
  readonly orders: IntrospectionClient | undefined;
  readonly security: IntrospectionClient | undefined;
  /** Which of the entries were accepted. Rejects while no process runs. */
  register(entries: readonly TestToken[]): Promise<readonly boolean[]>;
  /** Ends the process, writes the keys file with these digest keys, starts another; rejects when that does not start. */
  restart(digestKeys: readonly string[]): Promise<void>;
  /** The status of /readyz. */
  readiness(): Promise<number>;
  log(): string;
}

export interface KeyedDaemons {
  readonly configFile: string;
  readonly daemons: readonly [KeyedDaemon, KeyedDaemon];
  stop(): Promise<void>;
}

export function newDigestKey(): string {
  return randomBytes(32).toString('base64');
}

/** Neither runs yet: restart() them. */
export async function createKeyedDaemons(config: Readonly<Record<string, unknown>>): Promise<KeyedDaemons> {
  const folder = mkdtempSync(join(tmpdir(), 'introspectd-test-'));
  const { configFile, tls } = await createDevWorkspace({ folder, callers: CALLERS, strangers: [], config });
  const tagLine = `tag:${newDigestKey()}\n`;
  const stops: (() => Promise<void>)[] = [];

  const create = (name: string): KeyedDaemon => {
    const [keysFile, logFile] = [join(folder, `${name}.keys`), join(folder, `${name}.log`)];
    let running: DaemonProcess | undefined;
    let clients: Record<'orders' | 'security', IntrospectionClient> | undefined;
    const stop = async (): Promise<void> => {
      const [ended, open] = [running, clients];
      running = undefined;
      clients = undefined;
      await Promise.all([open?.orders.close(), open?.security.close(), ended?.stop('SIGKILL')]);
    };
    stops.push(stop);
    return {
      keysFile,
      get orders() {
        return clients?.orders;
      },
      get security() {
        return clients?.security;
      },
      register: async (entries) => {
        if (running === undefined) throw new Error('no process runs');
        const { results } = await registerTokens({ target: running.target, tls: tls('login') }, entries);
        return results.map(({ status }) => (status?.code ?? 0) === 0);
      },
      restart: async (digestKeys) => {
        await stop();
        writeFileSync(keysFile, digestKeys.map((key) => `digest:${key}\n`).join('') + tagLine, { mode: 0o600 });
        const process = await startDaemonProcess({ configFile, logFile, args: ['--keys-file', keysFile] });
        running = process;
        const connect = (caller: string) =>
          createIntrospectionClient({ target: process.target, tls: tls(caller), timeoutMs: 5000 });
        clients = { orders: connect('orders'), security: connect('security') };
      },
      readiness: async () => (await fetch(`http://${running?.opsTarget}/readyz`)).status,
      log: () => readFileSync(logFile, 'utf8'),
    };
  };

  const daemons = [create('first'), create('second')] as const;
  return {
    configFile,
    daemons,
    stop: async () => {
      await Promise.all(stops.map((stop) => stop()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
