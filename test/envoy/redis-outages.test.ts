// Two daemons on one Redis behind Envoy: rolled while requests go on, and what happens when the store is slow or gone.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createIntrospectionClient } from '@introspectd/client';
import { type DaemonProcess, startDaemonProcess } from '../../src/cli/daemon-process.js';
import { createDevWorkspace, type DevWorkspace } from '../../src/cli/dev-workspace.js';
import { formatNewKeys } from '../../src/core/key-ring.js';
import { CALLERS } from '../support/daemon.js';
import { REDIS_MISSING, startRedis, type TestRedis } from '../support/redis-server.js';
import { registerTokens } from '../support/register-tokens.js';
import type { TestTls } from '../support/test-credentials.js';
import { type Envoy, type EnvoyRequest, startEnvoy } from './support/envoy.js';
import { findEnvoyBinary } from './support/envoy-binary.js';

const found = findEnvoyBinary();
const skip = REDIS_MISSING || (typeof found === 'string' && found);
const GOOD = { headers: { authorization: 'Bearer good-on-two-daemons' } };
const BAD = { headers: { authorization: 'Bearer bad-on-two-daemons' } };
const REQUESTS = 1000;
const WORKERS = 4;
const TIMEOUT_MS = 30_000;

interface Site {
  readonly redis: TestRedis;
  readonly daemons: readonly DaemonProcess[];
  tls(caller: string): TestTls;
  /** SIGTERM, and another on the same port. */
  roll(index: number): Promise<void>;
  startEnvoy(changes: Pick<EnvoyRequest, 'filter' | 'healthChecks' | 'patience'>): Promise<Envoy>;
  stop(): Promise<void>;
}

describe('two daemons rolled under Envoy', { skip }, () => {
  let site: Site;
  let envoy: Envoy;
  before(async () => {
    site = await startSite({ ext_authz: { budget: '5s' }, limits: { store_timeout: '5s' } });
    envoy = await site.startEnvoy({ patience: 'long' });
  });
  after(async () => {
    await envoy?.stop();
    await site?.stop();
  });

  it('what one daemon revoked is refused by both, from the next request on', async () => {
    const [first] = site.daemons;
    assert.ok(first !== undefined);
    const security = createIntrospectionClient({ target: first.target, tls: site.tls('security'), timeoutMs: 10_000 });
    for (const token of ['revoked-at-one-1', 'revoked-at-one-2', 'revoked-at-one-3']) {
      const options = { headers: { authorization: `Bearer ${token}` } };
      for (let turn = 0; turn < 4; turn++) assert.equal((await envoy.ask('/', options)).status, 200);
      await security.revoke(token);
      for (let turn = 0; turn < 4; turn++) assert.equal((await envoy.ask('/', options)).status, 401);
    }
    await security.close();
  });

  it(`more than ${REQUESTS} requests on kept connections, every answer right`, async () => {
    const before = envoy.upstream.received.length;
    let isRolled = false;
    let asked = 0;
    const work = async (): Promise<void> => {
      while (!isRolled || asked < REQUESTS) {
        asked += 2;
        const [good, bad] = [await envoy.ask('/', GOOD), await envoy.ask('/', BAD)];
        assert.equal(good.status, 200, good.body);
        assert.equal(bad.status, 401, bad.body);
      }
    };
    const roll = async (): Promise<void> => {
      for (const index of [0, 1]) {
        await site.roll(index);
        await until(async () => (await envoy.stat('cluster.introspectd.membership_healthy')) === 2);
      }
      isRolled = true;
    };
    await Promise.all([roll(), ...Array.from({ length: WORKERS }, work)]);
    assert.equal(envoy.upstream.received.length - before, asked / 2);
  });
});

describe('a store in doubt behind Envoy', { skip }, () => {
  let site: Site;
  let envoy: Envoy;
  /** Told to let everything pass that goes wrong, and never to look at health. */
  let open: Envoy;
  before(async () => {
    site = await startSite({});
    envoy = await site.startEnvoy({});
    open = await site.startEnvoy({ filter: { failure_mode_allow: true }, healthChecks: 'none', patience: 'long' });
  });
  after(async () => {
    await envoy?.stop();
    await open?.stop();
    await site?.stop();
  });
  const isClosed = async (): Promise<void> => {
    const reached = open.upstream.received.length;
    for (const options of [GOOD, BAD]) {
      const { status, headers, body } = await open.ask('/', options);
      assert.equal(status, 503);
      assert.equal(headers['retry-after'], '1');
      assert.equal(body, '{"error":"temporarily_unavailable"}');
    }
    assert.equal(open.upstream.received.length, reached, 'it reached the service');
    const before = envoy.upstream.received.length;
    assert.equal((await envoy.ask('/', GOOD)).status, 503);
    assert.equal(envoy.upstream.received.length, before, 'it reached the service');
  };
  const isBack = () => until(async () => (await envoy.ask('/', GOOD)).status === 200);

  it('that hangs: 503 from the daemon, also for an Envoy that lets failures pass', async () => {
    await isBack();
    site.redis.signal('SIGSTOP');
    await isClosed();
    site.redis.signal('SIGCONT');
    await isBack();
  });

  it('that is gone: 503 too', async () => {
    await site.redis.kill();
    await isClosed();
    await site.redis.start();
    await isBack();
  });
});

async function startSite(config: Readonly<Record<string, unknown>>): Promise<Site> {
  const redis = await startRedis(['--appendonly', 'yes', '--appendfsync', 'everysec']);
  const at = (name: string) => join(redis.folder, name);
  writeFileSync(at('introspectd.keys'), formatNewKeys(randomBytes), { mode: 0o600 });
  const store = { store: { kind: 'redis', url: redis.url }, keys_file: at('introspectd.keys') };
  const workspace: DevWorkspace = await createDevWorkspace({
    folder: at('workspace'),
    callers: CALLERS,
    strangers: [],
    config: { ...store, ...config },
  });
  const ports = [await findFreePort(), await findFreePort()];
  const start = (index: number) =>
    startDaemonProcess({
      configFile: workspace.configFile,
      logFile: at(`daemon-${index}.log`),
      args: ['--listen', `127.0.0.1:${ports[index]}`],
    });
  const daemons = [await start(0), await start(1)];
  const [first] = daemons;
  if (first !== undefined) {
    const target = { target: first.target, tls: workspace.tls('login') };
    const tokens = ['good-on-two-daemons', 'revoked-at-one-1', 'revoked-at-one-2', 'revoked-at-one-3'];
    await registerTokens(
      target,
      tokens.map((token) => ({ token })),
    );
  }
  return {
    redis,
    daemons,
    tls: workspace.tls,
    roll: async (index) => {
      assert.equal(await daemons[index]?.stop('SIGTERM'), 0);
      daemons[index] = await start(index);
    },
    startEnvoy: (changes) => {
      assert.ok(typeof found !== 'string');
      const serverTls = { certFile: at('workspace/server.crt'), keyFile: at('workspace/server.key') };
      const targets = daemons.map(({ target }) => target);
      return startEnvoy({ binary: found, tls: workspace.tls('envoy'), serverTls, daemons: targets, ...changes });
    },
    stop: async () => {
      for (const daemon of daemons) await daemon.stop('SIGKILL');
      await redis.close();
    },
  };
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + TIMEOUT_MS;
  while (!(await isTrue())) {
    assert.ok(performance.now() < endMs, 'in time');
    await sleep(20);
  }
}
