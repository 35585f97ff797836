// Promises 1, 2 and 4 while digest keys are rotated under load: the steps of docs/operations.md, and the mistakes.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { IntrospectionError } from '@introspectd/client';
import { runCli } from '../cli/support/run-cli.js';
import { createKeyedDaemons, type KeyedDaemon, type KeyedDaemons, newDigestKey } from '../support/keyed-daemons.js';
import { REDIS_MISSING, startRedis, type TestRedis } from '../support/redis-server.js';
import { startRotationLoad } from '../support/rotation-load.js';

const READS = 10_000;
/** At each daemon, after every step. */
const READS_A_STEP = 600;
const [OLD, NEW, THIRD] = [newDigestKey(), newDigestKey(), newDigestKey()];
const SHORT_TTL_MS = 2000;
const PATIENCE_MS = 60_000;
const IN_ORDER = { concurrency: 1 };

type Config = Readonly<Record<string, unknown>>;

function testRotation(makeConfig: () => Config): void {
  let stage: KeyedDaemons;
  let first: KeyedDaemon;
  let second: KeyedDaemon;
  before(async () => {
    stage = await createKeyedDaemons(makeConfig());
    [first, second] = stage.daemons;
    for (const daemon of stage.daemons) await daemon.restart([OLD]);
  });
  after(() => stage.stop());

  it(`no answer of ${READS} is wrong, at any step, and all that was revoked stays dead`, async (t) => {
    const load = startRotationLoad(stage.daemons);
    try {
      await load.untilAnswered(READS_A_STEP);
      for (const keys of [
        [OLD, NEW],
        [NEW, OLD],
      ]) {
        for (const daemon of stage.daemons) {
          await daemon.restart(keys);
          await load.untilAnswered(READS_A_STEP);
        }
      }
      for (const change of ['max_token_ttl=60d', 'lease=1s', 'max_token_ttl=2h']) {
        const [{ keysFile }] = stage.daemons;
        const { code, stderr } = await runCli([
          ...['store', 'set', change, '--config', stage.configFile, '--keys-file', keysFile],
        ]);
        assert.equal(code, 0, stderr);
        await load.untilAnswered(100);
      }
      while (load.answers.reduce((sum, count) => sum + count, 0) < READS) await load.untilAnswered(100);
    } finally {
      await load.stop();
    }
    t.diagnostic(`answers ${load.answers.join(' + ')}, revoked ${load.names('revoked').length}`);
    assert.deepEqual(load.wrong, []);
    for (const daemon of stage.daemons) {
      for (const [state, active] of [
        ['alive', true],
        ['revoked', false],
      ] as const) {
        const names = load.names(state);
        assert.ok(names.length > 50, `${names.length} are ${state}`);
        const answers = await daemon.orders?.introspectMany(names);
        assert.ok(answers?.every((answer) => !(answer instanceof IntrospectionError) && answer.active === active));
      }
      const again = load.names('revoked').slice(0, 500);
      assert.ok(!(await daemon.register(again.map((token) => ({ token })))).includes(true), 'none is registered again');
    }
  });

  it('a daemon that lacks the key which another one began to write with says UNAVAILABLE, and why', async () => {
    await first.register([{ token: 'before' }]);
    await first.restart([THIRD, NEW, OLD]);
    await first.register([{ token: 'under-third' }]);
    for (const token of ['before', 'under-third']) {
      await assert.rejects(async () => second.orders?.introspect(token), isUnavailable);
      await assert.rejects(async () => second.security?.revoke(token), isUnavailable);
      assert.equal((await first.orders?.introspect(token))?.active, true);
    }
    assert.deepEqual(await showKeys(stage.configFile, second.keysFile), [
      ['no', 'written with'],
      ['first, writes', 'written with'],
      ['below, is read', 'written with'],
    ]);
    await until(async () => (await second.readiness()) === 503 && /lacks a digest key/.test(second.log()));
    assert.equal(await first.readiness(), 200);
    await second.restart([NEW, OLD, THIRD]);
    assert.equal((await second.orders?.introspect('under-third'))?.active, true);
  });

  it('a line that goes too early does not let its daemon start, and the sentence says until when it is needed', async () => {
    await assert.rejects(second.restart([THIRD, NEW]), /lacks a digest key .* needed until 20.*put its line there/);
    await second.restart([NEW, OLD, THIRD]);
  });
}

function testRetirement(makeConfig: () => Config): void {
  it('once nothing stands under the old key, which store show tells, its line may go; a late writer stops who lacks it', async () => {
    const defaults = { store_defaults: { max_token_ttl: `${SHORT_TTL_MS}ms`, lease: '100ms' } };
    const stage = await createKeyedDaemons({ ...makeConfig(), ...defaults });
    const [first, second] = stage.daemons;
    const show = () => showKeys(stage.configFile, first.keysFile);
    try {
      await first.restart([OLD]);
      await first.register([shortToken('under-old')]);
      await first.security?.revoke('nobody-knows-it');
      await first.restart([NEW, OLD]);
      await first.security?.revoke('under-old');
      // Or gone, when its time was over before the new one came.
      await until(async () => (await show()).every(([place, use]) => place !== 'below, is read' || use === 'retired'));
      await second.restart([NEW]);
      assert.deepEqual(await second.register([shortToken('fresh')]), [true]);
      assert.equal((await second.orders?.introspect('fresh'))?.active, true);
      assert.equal(await second.readiness(), 200);
      await first.restart([OLD, NEW]);
      await first.register([shortToken('late')]);
      await assert.rejects(async () => second.orders?.introspect('late'), isUnavailable);
      await until(async () => (await second.readiness()) === 503);
    } finally {
      await stage.stop();
    }
  });
}

describe('digest keys are rotated', { concurrency: 2 }, () => {
  describe('on LMDB', IN_ORDER, () => {
    testRotation(() => ({}));
    testRetirement(() => ({}));
  });

  describe('on Redis', { ...IN_ORDER, skip: REDIS_MISSING }, () => {
    let redis: TestRedis;
    before(async () => {
      redis = await startRedis();
    });
    after(() => redis.close());
    const config = (prefix: string) => () => ({ store: { kind: 'redis', url: redis.url, key_prefix: prefix } });
    testRotation(config('rotation:'));
    testRetirement(config('retirement:'));
  });
});

/** For each digest key of the store: where it is in the keys file, and its use. */
async function showKeys(configFile: string, keysFile: string): Promise<readonly (readonly [string, string])[]> {
  const { stdout } = await runCli(['store', 'show', '--config', configFile, '--keys-file', keysFile]);
  const { digest_keys: keys } = JSON.parse(stdout) as {
    readonly digest_keys: readonly { readonly use: string; readonly in_keys_file: string }[];
  };
  return keys.map((key) => [key.in_keys_file, key.use]);
}

function shortToken(token: string) {
  const nowSeconds = BigInt(Math.floor(Date.now() / 1000));
  return { token, claims: { iat: nowSeconds, exp: nowSeconds + BigInt(SHORT_TTL_MS / 1000) } };
}

function isUnavailable(error: unknown): boolean {
  assert.ok(error instanceof IntrospectionError);
  assert.equal(error.code, 'UNAVAILABLE');
  return true;
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  while (!(await isTrue())) {
    if (performance.now() > endMs) throw new Error(`it did not happen within ${PATIENCE_MS} ms`);
    await sleep(200);
  }
}
