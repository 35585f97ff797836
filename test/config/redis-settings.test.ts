// The settings of the Redis store.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultsOf, load, TLS } from './support/load-sources.js';

const REDIS_FAULTS: readonly (readonly [text: string, path: string, problem: RegExp])[] = [
  ['{ kind: redis }', 'store.url', /required with store\.kind redis/],
  ['{ url: "redis://h:1" }', 'store.url', /is for store\.kind redis/],
  ['{ kind: redis, url: "redis://u:canary@h" }', 'store.url', /holds a name or a password/],
  ['{ kind: redis, url: "http://h" }', 'store.url', /must be redis:\/\//],
  ['{ kind: redis, url: "redis://h/x" }', 'store.url', /must be redis:\/\//],
  ['{ kind: redis, url: "unix://h/x" }', 'store.url', /must be redis:\/\//],
  ['{ kind: redis, url: "canary" }', 'store.url', /must be redis:\/\//],
  ['{ kind: redis, url: "redis://h", tls: { cert_file: x } }', 'store.tls', /go together/],
  ['{ kind: sqlite }', 'store.kind', /must be lmdb or redis/],
];

test('a Redis store: what is wrong is told, never with the url', async (t) => {
  for (const [text, path, problem] of REDIS_FAULTS) {
    await t.test(text, () => {
      const faults = faultsOf({ text: `${TLS}store: ${text}` });
      assert.deepEqual(Object.keys(faults), [path]);
      assert.match(String(faults[path]), problem);
      assert.doesNotMatch(String(faults[path]), /canary/);
    });
  }
});

test('a Redis store is set by file, environment and flag alike', () => {
  const { config } = load({
    text: `${TLS}store: { kind: redis, url: "redis://h:7000/2", username: introspectd }`,
    env: { INTROSPECTD_STORE_TLS_CA_FILE: 'ca.pem', INTROSPECTD_STORE_ALLOW_VOLATILE: 'true' },
    flags: { 'store.password_file': 'secret' },
  });
  assert.deepEqual(config.store, {
    kind: 'redis',
    url: 'redis://h:7000/2',
    keyPrefix: 'introspectd:',
    username: 'introspectd',
    passwordFile: '/srv/secret',
    tls: { caFile: '/srv/ca.pem', certFile: undefined, keyFile: undefined },
    allowVolatile: true,
  });
});
