// Three daemons on one store, with the callers of a history test.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DaemonProcess, startDaemonProcess } from '../../src/cli/daemon-process.js';
import { createDevWorkspace, type DevCaller } from '../../src/cli/dev-workspace.js';
import { formatNewKeys } from '../../src/core/key-ring.js';
import type { TestTls } from '../support/test-credentials.js';
import { BY } from './history.js';
import { AUDIENCE, ISSUERS } from './tokens.js';

export interface Stage {
  /** "host:port" of each daemon; the same after it was killed. */
  readonly targets: readonly string[];
  tls(caller: string): TestTls;
  /** kill -9, and a new one on the same port. */
  kill(daemon: number): Promise<void>;
  /** Stops it with SIGSTOP, lets it go on after so long. */
  freeze(daemon: number, forMs: number): Promise<void>;
  close(): Promise<void>;
}

export interface StageRequest {
  readonly store: Readonly<Record<string, unknown>>;
  readonly leaseMs: number;
  readonly logEntries: number;
}

const DAEMONS = 3;
const START_TRIES = 5;
const START_PAUSE_MS = 100;
const TOKEN_USE = ['access_token', 'refresh_token'];
const FOR_ALL = { issuers: ISSUERS, audiences: [AUDIENCE], token_use: TOKEN_USE };
const CALLERS: readonly DevCaller[] = [
  { name: 'login', permissions: ['register'], ...FOR_ALL },
  { name: 'reader', permissions: ['introspect', 'batch'], ...FOR_ALL },
  { name: 'cache', permissions: ['introspect', 'watch'], ...FOR_ALL },
  { name: 'security', permissions: [], revoke: BY, ...FOR_ALL },
];

export async function startStage({ store, leaseMs, logEntries }: StageRequest): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'introspectd-history-'));
  writeFileSync(join(folder, 'introspectd.keys'), formatNewKeys(randomBytes), { mode: 0o600 });
  const config = {
    store,
    store_defaults: { lease: `${leaseMs}ms` },
    // A machine that is busy with sixteen processes is no fault of the store.
    limits: { log_entries: logEntries, store_timeout: '1s' },
  };
  const { configFile, tls } = await createDevWorkspace({ folder, callers: CALLERS, strangers: [], config });
  const daemons: DaemonProcess[] = [];
  const close = async () => {
    await Promise.all(daemons.map((daemon) => daemon.stop('SIGKILL')));
    rmSync(folder, { recursive: true, force: true });
  };
  /** The port may be in the hands of a connection that is just being made to it, and the machine too busy to start. */
  const start = async (daemon: number, ...args: readonly string[]): Promise<DaemonProcess> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await startDaemonProcess({ configFile, logFile: join(folder, `daemon-${daemon}.log`), args });
      } catch (error) {
        if (attempt === START_TRIES) throw error;
        await sleep(START_PAUSE_MS);
      }
    }
  };
  try {
    for (let daemon = 0; daemon < DAEMONS; daemon++) daemons.push(await start(daemon));
  } catch (error) {
    await close();
    throw error;
  }
  const targets = daemons.map(({ target }) => target);

  return {
    targets,
    tls,
    kill: async (daemon) => {
      await daemons[daemon]?.stop('SIGKILL');
      daemons[daemon] = await start(daemon, '--listen', targets[daemon] ?? '');
    },
    freeze: async (daemon, forMs) => {
      const { pid } = daemons[daemon] ?? { pid: 0 };
      process.kill(pid, 'SIGSTOP');
      await sleep(forMs);
      process.kill(pid, 'SIGCONT');
    },
    close,
  };
}
