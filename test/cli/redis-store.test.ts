// `store show` and `serve` on Redis as an operator meets them: what there is, and what is told when it cannot be had.
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { stringify } from 'yaml';
import { createDevWorkspace } from '../../src/cli/dev-workspace.js';
import { formatNewKeys } from '../../src/core/key-ring.js';
import type { TokenStore } from '../../src/core/token-store.js';
import { makeRevoke } from '../store/fixtures.js';
import { live, open } from '../store/redis-fault-stage.js';
import { toServer } from '../store/redis-harness.js';
import { readAclOfReadme } from '../support/readme-acl.js';
import { REDIS_MISSING, startRedis, type TestRedis } from '../support/redis-server.js';
import { runCli } from './support/run-cli.js';
import { temporaryFolder } from './support/temporary-folder.js';

const PASSWORD = 'canary-of-a-password';
/** What has a meaning in a pattern of Redis has none in a prefix. */
const [PREFIX, NEIGHBOUR] = ['shop[1]*:', 'shop1:'];

describe('a store in Redis, on the command line', { skip: REDIS_MISSING }, () => {
  const folder = temporaryFolder();
  const at = (name: string) => join(folder, name);
  let redis: TestRedis;
  let store: TokenStore;

  before(async () => {
    await createDevWorkspace({ folder, callers: [], strangers: [], config: {} });
    writeFileSync(at('introspectd.keys'), formatNewKeys(randomBytes), { mode: 0o600 });
    writeFileSync(at('password'), `${PASSWORD}\n`);
    writeFileSync(at('wrong-password'), `${PASSWORD}-not\n`);
    redis = await startRedis(['--appendonly', 'yes', '--enable-debug-command', 'yes']);
    store = await open(toServer(redis.url, PREFIX));
    await store.register([live('a'), live('b')]);
    await store.revokeToken(makeRevoke('unknown'));
    const neighbour = await open(toServer(redis.url, NEIGHBOUR));
    await neighbour.register([live('a')]);
    await neighbour.close();
    const rights = readAclOfReadme().map((right) => (right.startsWith('~') ? '~shop*' : right));
    await redis.admin.acl('SETUSER', 'introspectd', 'on', `>${PASSWORD}`, ...rights);
  });
  after(async () => {
    await store.close();
    await redis.close();
  });

  const run = (args: readonly string[], settings: object = {}) => {
    const url = redis.url;
    const user = { username: 'introspectd', password_file: at('password') };
    const config = {
      tls: { cert_file: 'server.crt', key_file: 'server.key', client_ca_file: 'ca.crt' },
      store: { kind: 'redis', url, key_prefix: PREFIX, ...user, ...settings },
    };
    const file = at(`${randomUUID()}.yaml`);
    writeFileSync(file, stringify(config));
    return runCli([...args, '--config', file]);
  };

  it('store show tells of the store under a running daemon, with the rights of the README, and changes nothing', async () => {
    const was = await redis.admin.call('DEBUG', 'DIGEST');
    const { code, stdout, stderr } = await run(['store', 'show']);
    assert.deepEqual([code, stderr], [0, '']);
    const meta = await store.meta();
    const { digest_keys: digestKeys, store_time: storeTime, ...shown } = JSON.parse(stdout);
    assert.ok(storeTime >= shown.last_store_time);
    assert.deepEqual(
      digestKeys.map(({ check }: { readonly check: string }) => check),
      meta.digestKeys.map(({ check }) => check),
    );
    assert.deepEqual(shown, {
      path: redis.url,
      store_id: meta.storeId,
      partitions: 1,
      tag_key: { check: meta.tagKeyCheck, in_keys_file: false },
      max_token_ttl: '1d',
      lease: '2s',
      changing: false,
      last_store_time: new Date(meta.lastStoreTimeMs).toISOString(),
      entries: 3,
    });
    assert.equal(await redis.admin.call('DEBUG', 'DIGEST'), was);
  });

  const SHOWN: readonly (readonly [name: string, settings: () => object, said: RegExp])[] = [
    ['no store under the prefix', () => ({ key_prefix: 'shop2:' }), /there is no store under this store\.key_prefix/],
    ['a wrong password', () => ({ password_file: at('wrong-password') }), /Redis refuses the password: check/],
    ['an absent server', () => ({ url: 'redis://127.0.0.1:1' }), /Redis refuses connections: is it running/],
    ['a socket that is not there', () => ({ url: `unix:${at('none.sock')}` }), /there is no socket where store\.url/],
  ];
  // They try for seconds before they give up.
  describe('store show', { concurrency: true }, () => {
    for (const [name, settings, said] of SHOWN) {
      it(`${name}: one line, exit code 1`, async () => {
        const keys = await redis.admin.dbsize();
        const { code, stdout, stderr } = await run(['store', 'show'], settings());
        assert.deepEqual([code, stdout], [1, '']);
        assert.match(stderr, /^introspectd: the store in (redis|unix):.*\n$/);
        assert.match(stderr, said);
        assert.ok(!stderr.includes(PASSWORD));
        assert.equal(await redis.admin.dbsize(), keys);
      });
    }
  });

  it('a password file that is not there is a fault of the configuration', async () => {
    const { code, stdout, stderr } = await run(['store', 'show'], { password_file: at('none') });
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /store\.password_file \(.*none\): no such file/);
  });

  it('serve with the keys of another store does not start, says which, and changes nothing', async () => {
    const was = await redis.admin.call('DEBUG', 'DIGEST');
    const { code, stdout, stderr } = await run(['serve']);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /the store in unix:.* cannot be used:\n.*another tag key .*keys_file/);
    assert.equal(await redis.admin.call('DEBUG', 'DIGEST'), was);
  });
});
