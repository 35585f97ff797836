// Certificates, revocation list and policy change under a running daemon: no call fails, nothing becomes laxer.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DevCaller } from '../../src/cli/dev-workspace.js';
import { CALLERS } from '../support/daemon.js';
import { type RotatingDaemon, type SecretFiles, startRotatingDaemon } from '../support/rotating-daemon.js';

const TOKEN = 'a-token-of-somebody-who-works-on';
const CALL_EVERY_MS = 5;
const RECONNECT_EVERY_CALLS = 40;

describe('hot reload', () => {
  let daemon: RotatingDaemon;
  before(async () => {
    daemon = await startRotatingDaemon(CALLERS);
    await daemon.register([{ token: TOKEN }]);
  });
  after(() => daemon.stop());

  it('certificates rotate ten times under load, and no call fails', async (t) => {
    const load = startLoad(daemon);
    // Also when this fails: the process would never end.
    t.after(() => load.stop());
    let inUse: SecretFiles | undefined;
    let reloads = 0;
    let failures = 0;
    const checkInUse = async () => {
      const { accepted, pem } = await daemon.shakeHands('orders');
      assert.ok(accepted);
      if (inUse !== undefined) assert.equal(pem, new X509Certificate(inUse['tls.crt']).toString());
      assert.equal((await daemon.shakeHands('orders', { maxVersion: 'TLSv1.2' })).accepted, false, 'TLS 1.2');
      assert.equal((await daemon.shakeHands('revoked')).accepted, false, 'a revoked certificate');
    };
    const untilReloaded = async (files: SecretFiles) => {
      await daemon.untilLogged(++reloads, 'reloaded', 'tls');
      inUse = files;
      await checkInUse();
    };
    const untilRefused = async () => {
      await daemon.untilLogged(++failures, 'reload_failed', 'tls');
      await checkInUse();
    };
    await checkInUse();
    for (let rotation = 1; rotation <= 10; rotation++) {
      const files = await daemon.newSecret();
      switch (rotation) {
        case 8: {
          const path = daemon.secretPath('tls.crt');
          writeFileSync(path, files['tls.crt'].slice(0, files['tls.crt'].length / 2));
          renameOver(daemon.secretPath('tls.key'), files['tls.key']);
          await untilRefused();
          writeFileSync(path, files['tls.crt']);
          break;
        }
        case 9:
          renameOver(daemon.secretPath('tls.crt'), files['tls.crt']);
          await untilRefused();
          renameOver(daemon.secretPath('tls.key'), files['tls.key']);
          break;
        case 7:
        case 10:
          for (const name of ['tls.crt', 'tls.key', 'crl.pem'] as const) {
            renameOver(daemon.secretPath(name), files[name]);
          }
          break;
        default:
          daemon.turnSecret(files);
          if (rotation % 2 === 0) process.kill(daemon.pid, 'SIGHUP');
      }
      await untilReloaded(files);
    }
    const { calls, faults } = await load.stop();
    assert.deepEqual(faults, []);
    assert.ok(calls > 200, `${calls} calls`);
    assert.equal(daemon.records('reload_failed').length, failures);
    const refused = daemon.records('reload_failed').map(({ at, problem }) => [at, problem]);
    assert.deepEqual(refused, [
      ['tls.cert_file', 'is not a PEM certificate'],
      ['tls.key_file', 'does not belong to the certificate'],
    ]);
  });

  it('a policy holds for the next call of an open connection, and a bad one changes nothing', async () => {
    const orders = daemon.connectAs('orders');
    const counted = (msg: string) => daemon.records(msg).filter(({ part }) => part === 'policy').length;
    let [reloads, failures] = [counted('reloaded'), counted('reload_failed')];
    const replace = async (text: string, outcome: 'reloaded' | 'reload_failed') => {
      renameOver(daemon.policyFile, text);
      await daemon.untilLogged(outcome === 'reloaded' ? ++reloads : ++failures, outcome, 'policy');
    };
    const good = readFileSync(daemon.policyFile, 'utf8');
    assert.equal((await orders.introspect(TOKEN)).active, true);

    await replace(policyWithout('orders'), 'reloaded');
    await assert.rejects(orders.introspect(TOKEN), { reason: 'PERMISSION_MISSING' });

    for (const [bad, at, where] of [
      ['version: 2\ncallers: []\n', 'version', 'line 1'],
      [`version: 1\ncallers: [\n${TOKEN}`, '', 'line 3'],
      ['', 'version', undefined],
    ] as const) {
      await replace(bad, 'reload_failed');
      const last = daemon.records('reload_failed').at(-1);
      assert.deepEqual([last?.at, last?.where], [at, where]);
      await assert.rejects(orders.introspect(TOKEN), { reason: 'PERMISSION_MISSING' });
    }

    await replace(good, 'reloaded');
    assert.equal((await orders.introspect(TOKEN)).active, true);
    assert.ok(!daemon.log().includes(TOKEN));
  });

  it('SIGHUP loads everything again, changed or not', async () => {
    const counts = (['tls', 'policy'] as const).map((name) => ({
      name,
      count: daemon.records('reloaded').filter(({ part }) => part === name).length,
    }));
    process.kill(daemon.pid, 'SIGHUP');
    for (const { name, count } of counts) await daemon.untilLogged(count + 1, 'reloaded', name);
  });
});

/** Some 200 calls a second on one connection, and now and then one on a new connection. */
function startLoad(daemon: RotatingDaemon) {
  const client = daemon.connectAs('orders');
  const faults: unknown[] = [];
  const pending: Promise<void>[] = [];
  let isStopped = false;
  let calls = 0;
  const call = async () => {
    const isNew = calls++ % RECONNECT_EVERY_CALLS === 0;
    const on = isNew ? daemon.connectAs('orders') : client;
    try {
      const { active } = await on.introspect(TOKEN);
      if (!active) faults.push('inactive');
    } catch (error) {
      faults.push(error);
    } finally {
      if (isNew) await on.close();
    }
  };
  const running = (async () => {
    while (!isStopped) {
      pending.push(call());
      await sleep(CALL_EVERY_MS);
    }
  })();
  return {
    stop: async () => {
      isStopped = true;
      await running;
      await Promise.all(pending);
      return { calls, faults };
    },
  };
}

/** As editors and tools write files. */
function renameOver(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** JSON is YAML. */
function policyWithout(narrowed: string): string {
  const callers = CALLERS.map((caller: DevCaller) => ({
    ...caller,
    identities: [`spiffe://demo/${caller.name}`],
    ...(caller.name === narrowed ? { permissions: [] } : {}),
  }));
  return JSON.stringify({ version: 1, callers });
}
