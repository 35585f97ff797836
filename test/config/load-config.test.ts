// The configuration: what is laid over what, and that everything wrong with it is told at once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { CONFIG_LEAVES, configJsonSchema, envName } from '../../src/config/config-leaves.js';
import { formatConfig } from '../../src/config/format-config.js';
import { faultsOf, load, type Sources, TLS } from './support/load-sources.js';

test('defaults are those of the design', () => {
  const { config } = load();
  assert.deepEqual(config, {
    listen: { host: '0.0.0.0', port: 50051 },
    opsListen: { host: '127.0.0.1', port: 9464 },
    tls: {
      certFile: '/srv/conf/server.crt',
      keyFile: '/srv/conf/server.key',
      clientCaFile: '/srv/conf/ca.crt',
      crlFile: undefined,
    },
    policyFile: '/srv/conf/policy.yaml',
    store: { kind: 'lmdb', path: '/srv/conf/data' },
    keysFile: '/srv/conf/introspectd.keys',
    reflection: false,
    limits: {
      batchTokens: 1000,
      registerItems: 500,
      tokenBytes: 4096,
      claimsBytes: 3500,
      inflight: 2000,
      connectionAgeMs: 600_000,
      cacheAgeMs: 60_000,
      storeTimeoutMs: 200,
      unknownTombstones: 100_000,
      watchers: 1000,
      watchQueue: 10_000,
      logEntries: 1_000_000,
    },
    extAuthz: {
      budgetMs: 150,
      onDoubt: 'deny',
      realm: 'introspectd',
      place: { kind: 'bearer' },
      headers: {
        sub: 'x-introspectd-sub',
        client_id: 'x-introspectd-client-id',
        scope: 'x-introspectd-scope',
        iss: 'x-introspectd-iss',
        exp: 'x-introspectd-exp',
      },
      credential: 'pass',
      profiles: {},
    },
    storeDefaults: { maxTokenTtlMs: 2_592_000_000, leaseMs: 2000, partitions: 1 },
    log: { level: 'info' },
  });
});

test('the result cannot be changed', () => {
  const { config } = load();
  assert.throws(() => Object.assign(config, { listen: 1 }), TypeError);
  assert.throws(() => Object.assign(config.limits, { inflight: 1 }), TypeError);
  assert.throws(() => Object.assign(config.tls, { certFile: '' }), TypeError);
});

test('defaults < file < environment < flags', () => {
  const text = `${TLS}limits: { inflight: 1, watchers: 1, batch_tokens: 1 }\n`;
  const env = { INTROSPECTD_LIMITS_INFLIGHT: '2', INTROSPECTD_LIMITS_WATCHERS: '2' };
  const { config, settings } = load({ text, env, flags: { 'limits.inflight': '3' } });
  const { inflight, watchers, batchTokens, registerItems } = config.limits;
  assert.deepEqual([inflight, watchers, batchTokens, registerItems], [3, 2, 1, 500]);
  const origins = new Map(settings.map(({ leaf, origin }) => [leaf.name, origin]));
  assert.equal(origins.get('limits.inflight'), 'flag limits.inflight');
  assert.equal(origins.get('limits.watchers'), 'env INTROSPECTD_LIMITS_WATCHERS');
  assert.equal(origins.get('limits.batch_tokens'), 'conf/introspectd.yaml:2');
  assert.equal(origins.get('limits.register_items'), 'default');
});

test('relative paths start at the folder of the file, or of the process for environment and flags', () => {
  const { config } = load({
    env: { INTROSPECTD_TLS_CERT_FILE: 'a.crt' },
    flags: { 'store.path': '../b', keys_file: '/k' },
  });
  assert.equal(config.tls.certFile, '/srv/a.crt');
  assert.equal(config.store.kind === 'lmdb' && config.store.path, '/b');
  assert.equal(config.keysFile, '/k');
  assert.equal(config.policyFile, '/srv/conf/policy.yaml');
});

test('every setting can be set by environment and by flag', async (t) => {
  const values: Readonly<Record<string, string>> = { integer: '7', boolean: 'false' };
  const texts: Readonly<Record<string, string>> = {
    listen: '127.0.0.1:1',
    ops_listen: '127.0.0.1:2',
    'store.kind': 'lmdb',
    'store.url': 'redis://h',
    'log.level': 'debug',
    'limits.token_bytes': '99',
    'limits.claims_bytes': '99',
    'ext_authz.on_doubt': 'envoy',
    'ext_authz.credential.cookie': 'session',
    'store_defaults.partitions': '1',
  };
  // A section of names that nobody but the file can know.
  for (const leaf of CONFIG_LEAVES.filter(({ type }) => type !== 'object')) {
    await t.test(leaf.name, () => {
      const duration = /^\d+(ms|s|m|d)$/.test(String(leaf.initial)) ? '4s' : undefined;
      const value =
        texts[leaf.name] ?? values[leaf.type] ?? duration ?? (/header/.test(leaf.name) ? 'x-some' : 'some/path');
      const text = leaf.name === 'store.url' ? `${TLS}store: { kind: redis }` : TLS;
      for (const layer of [{ env: { [envName(leaf.path)]: value } }, { flags: { [leaf.name]: value } }]) {
        const sources = { text, ...layer };
        const setting = load(sources).settings.find((candidate) => candidate.leaf.name === leaf.name);
        assert.match(setting?.origin ?? '', /^(env|flag) /);
        assert.equal(String(setting?.value), leaf.isPath ? '/srv/some/path' : value);
      }
    });
  }
});

test('an empty section is the defaults, and an empty file lacks what is required', () => {
  assert.equal(load({ text: `${TLS}limits:\nlog:\n` }).config.limits.inflight, 2000);
  assert.deepEqual(Object.keys(faultsOf({ text: '' })), ['tls.cert_file', 'tls.key_file', 'tls.client_ca_file']);
});

test('all faults are told at once, each with its path', () => {
  const text = `lissten: 0.0.0.0:1
listen: nowhere
tls:
  cert_fle: x
  key_file: 5
  client_ca_file: ''
limits: { batch_tokens: 2000, inflight: many, store_timeout: 10y, connection_age: 10, watchers: -1, token_bytes: 1.5 }
store: { pathh: z, kind: rocksdb }
log: loud
reflection: maybe
`;
  const env = { INTROSPECTD_LIMIT_INFLIGHT: '1', INTROSPECTD_LIMITS_WATCH_QUEUE: 'x', UNRELATED: 'x' };
  const faults = faultsOf({ text, env, flags: { 'store.pat': 'x' } });
  assert.deepEqual(Object.keys(faults).sort(), [
    'INTROSPECTD_LIMIT_INFLIGHT',
    'limits.batch_tokens',
    'limits.connection_age',
    'limits.inflight',
    'limits.store_timeout',
    'limits.token_bytes',
    'limits.watch_queue',
    'limits.watchers',
    'lissten',
    'listen',
    'log',
    'reflection',
    'store.kind',
    'store.pat',
    'store.pathh',
    'tls.cert_file',
    'tls.cert_fle',
    'tls.client_ca_file',
    'tls.key_file',
  ]);
  const hints: readonly (readonly [path: string, hint: RegExp])[] = [
    ['lissten', /did you mean listen\?/],
    ['tls.cert_fle', /did you mean cert_file\?/],
    ['INTROSPECTD_LIMIT_INFLIGHT', /did you mean INTROSPECTD_LIMITS_INFLIGHT\?/],
    ['store.pat', /did you mean store\.path\?/],
    ['limits.batch_tokens', /4 MiB/],
  ];
  for (const [path, hint] of hints) assert.match(faults[path] ?? '', hint);
});

test('a fault says where its value came from, and never shows it', () => {
  const env = { INTROSPECTD_LISTEN: 'canary-env' };
  assert.throws(
    () => load({ text: `${TLS}log: { level: canary-file }`, env }),
    (error: Error) => {
      assert.match(error.message, /listen \(env INTROSPECTD_LISTEN\): must be HOST:PORT/);
      assert.match(error.message, /log\.level \(conf\/introspectd\.yaml:2\): must be one of/);
      assert.doesNotMatch(error.message, /canary/);
      return true;
    },
  );
});

const LATER: readonly (readonly [string, Sources])[] = [
  ['store_defaults.partitions', { text: `${TLS}store_defaults: { partitions: 4 }` }],
];

test('what later versions serve is refused as such, and nothing else is said of it', async (t) => {
  for (const [path, sources] of LATER) {
    await t.test(`${path} ${JSON.stringify(sources)}`, () => {
      assert.deepEqual(faultsOf(sources), { [path]: 'not yet supported by this version; remove it' });
    });
  }
});

test('reflection is off unless it is asked for, from anywhere', () => {
  assert.equal(load({}).config.reflection, false);
  assert.equal(load({ text: `${TLS}reflection: true` }).config.reflection, true);
  assert.equal(load({ env: { INTROSPECTD_REFLECTION: 'true' } }).config.reflection, true);
  assert.equal(load({ flags: { reflection: 'true' } }).config.reflection, true);
});

const CROSS: readonly (readonly [string, string, RegExp | undefined])[] = [
  ['a batch that fits 4 MiB', 'limits: { batch_tokens: 1024, claims_bytes: 4096 }', undefined],
  ['a batch that does not', 'limits: { batch_tokens: 1025, claims_bytes: 4096 }', /4 MiB/],
  ['the largest claims', 'limits: { batch_tokens: 64, claims_bytes: 65535 }', undefined],
  ['claims beyond two bytes of length', 'limits: { batch_tokens: 1, claims_bytes: 65536 }', /65535/],
  ['one address for both', 'listen: "127.0.0.1:1"\nops_listen: "127.0.0.1:1"', /another port/],
  ['two free ports', 'listen: "127.0.0.1:0"\nops_listen: "127.0.0.1:0"', undefined],
];

test('settings that do not go together', async (t) => {
  for (const [name, text, expected] of CROSS) {
    await t.test(name, () => {
      const problems = Object.values(faultsOf({ text: TLS + text }));
      if (expected === undefined) assert.deepEqual(problems, []);
      else assert.match(problems.join(), expected);
    });
  }
});

test('variables that Kubernetes sets for a Service called introspectd are not settings', () => {
  const env = {
    INTROSPECTD_SERVICE_HOST: '10.0.0.1',
    INTROSPECTD_SERVICE_PORT: '50051',
    INTROSPECTD_SERVICE_PORT_GRPC: '50051',
    INTROSPECTD_PORT: 'tcp://10.0.0.1:50051',
    INTROSPECTD_PORT_50051_TCP: 'tcp://10.0.0.1:50051',
    INTROSPECTD_PORT_50051_TCP_ADDR: '10.0.0.1',
  };
  assert.deepEqual(faultsOf({ env }), {});
});

test('the printed configuration is a configuration, and the same', () => {
  const { config, settings } = load({ flags: { 'limits.inflight': '9' } });
  const text = formatConfig(settings);
  assert.match(text, /inflight: 9 # flag limits\.inflight/);
  assert.match(text, /cert_file: \/srv\/conf\/server\.crt # conf\/introspectd\.yaml:1/);
  assert.deepEqual(load({ text }).config, config);
});

test('the JSON Schema knows every setting, and refuses unknown ones', () => {
  const schema = configJsonSchema() as {
    properties: Record<string, { properties?: object }>;
    additionalProperties: boolean;
  };
  assert.equal(schema.additionalProperties, false);
  const known = Object.keys(parse(formatConfig(load().settings)));
  assert.deepEqual(Object.keys(schema.properties).sort(), known.sort());
  for (const { name, description } of CONFIG_LEAVES) assert.notEqual(description, '', `${name} has a description`);
});
