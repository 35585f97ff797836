// Two daemons on one store are replaced one after the other under load, and certificates with them: no call fails.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createIntrospectionClient, type IntrospectionClient } from '@introspectd/client';
import { type DaemonProcess, startDaemonProcess } from '../../src/cli/daemon-process.js';
import { AUDIENCE, ISSUER } from '../cases/introspect-cases.js';
import { startTestDaemon, type TestDaemon } from '../support/daemon.js';
import { eventually } from '../support/eventually.js';

const PERMISSIONS = ['introspect', 'batch', 'watch'];
const CALLERS = [
  { name: 'login', permissions: ['register'], issuers: [ISSUER], audiences: ['*'] },
  { name: 'orders', permissions: PERMISSIONS, issuers: [ISSUER], audiences: [AUDIENCE] },
  { name: 'renewed', permissions: PERMISSIONS, issuers: [ISSUER], audiences: [AUDIENCE] },
];
/** Twice the longest pause between two attempts to connect. */
const RECONNECTED_MS = 2_500;
const TOKENS = Array.from({ length: 20 }, (_, index) => `rolling-token-${index}`);

describe('a roll-out', () => {
  let first: TestDaemon;
  const daemons: DaemonProcess[] = [];
  const ports: number[] = [];

  const start = (index: number) =>
    startDaemonProcess({
      configFile: first.workspace.configFile,
      logFile: `${first.logFile}.${index}`,
      args: ['--listen', `127.0.0.1:${ports[index]}`],
    });

  before(async () => {
    // Makes the folder and the store; the two of the test share them.
    first = await startTestDaemon({ callers: CALLERS });
    await first.register(TOKENS.map((token) => ({ token })));
    for (const index of [0, 1]) {
      ports.push(await findFreePort());
      daemons.push(await start(index));
    }
  });
  after(async () => {
    await Promise.all(daemons.map((daemon) => daemon.stop('SIGKILL')));
    await first.stop();
  });

  it('of two daemons and of certificates fails no call', async (t) => {
    const tls = prepareTls();
    const said: string[] = [];
    const log = (_: unknown, message: string) => void said.push(message);
    const target = `ipv4:${ports.map((port) => `127.0.0.1:${port}`).join(',')}`;
    const logger = { info: log, warn: log };
    const connect = (options: object) =>
      createIntrospectionClient({ target, tls, timeoutMs: 5_000, logger, ...options });
    const clients = [connect({}), connect({ cache: false }), connect({ cache: false, coalesce: false })];
    const load = startLoad(clients);
    t.after(() => load.stop());

    for (const index of [0, 1]) {
      await load.more(100);
      assert.equal(await daemons[index]?.stop('SIGTERM'), 0);
      prepareTls(index === 0 ? 'renewed' : 'orders');
      const { length } = said;
      await eventually(() => said.length >= length + clients.length);
      await load.more(100);
      daemons[index] = await start(index);
      // As whoever rolls out: the next one goes when clients have had the time to find this one again.
      await sleep(RECONNECTED_MS);
    }
    await load.more(100);
    assert.deepEqual(await load.stop(), []);
    assert.ok(said.includes('TLS files reloaded'));
    await Promise.all(clients.map((client) => client.close()));
  });

  /** The files of a caller, under names that stay. */
  function prepareTls(caller = 'orders') {
    const given = first.workspace.tls(caller);
    const tls = {
      caFile: given.caFile,
      certFile: join(first.workspace.folder, 'live.crt'),
      keyFile: join(first.workspace.folder, 'live.key'),
    };
    copyFileSync(given.certFile, tls.certFile);
    copyFileSync(given.keyFile, tls.keyFile);
    return { ...tls, serverName: 'localhost', reloadMs: 20 };
  }
});

/** Calls of all of them, at once and again, until it is stopped. */
function startLoad(clients: readonly IntrospectionClient[]) {
  const failures: unknown[] = [];
  let rounds = 0;
  let isOver = false;
  const loops = clients.map(async (client) => {
    while (!isOver) {
      const outcomes = await Promise.allSettled(TOKENS.map((token) => client.introspect(token)));
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') failures.push(outcome.reason);
        else if (!outcome.value.active) failures.push('inactive');
      }
      rounds += 1;
      await sleep(2);
    }
  });
  return {
    more: (count: number) => {
      const enough = rounds + count;
      return eventually(() => rounds >= enough);
    },
    stop: async () => {
      isOver = true;
      await Promise.all(loops);
      return failures;
    },
  };
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
