// Redis as the README sets it up: over TLS that asks for a client certificate, with a user of the daemon's own, whose
// password is in a file. All through the configuration.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createDevCa, issueLeaf, validForDays } from '../../src/cli/dev-certificates.js';
import { formatNewKeys } from '../../src/core/key-ring.js';
import { runCli } from '../cli/support/run-cli.js';
import { startTestDaemon } from '../support/daemon.js';
import { readAclOfReadme } from '../support/readme-acl.js';
import { REDIS_MISSING, startRedis, type TestRedis } from '../support/redis-server.js';

const PASSWORD = 'canary-of-a-password';

describe('Redis over TLS', { skip: REDIS_MISSING }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'introspectd-redis-tls-'));
  const path = (name: string) => join(folder, name);
  let redis: TestRedis;
  let port: number;
  before(async () => {
    await writeCertificates(path);
    writeFileSync(path('password'), `${PASSWORD}\n`);
    writeFileSync(path('wrong-password'), 'wrong\n');
    writeFileSync(path('keys'), formatNewKeys(randomBytes), { mode: 0o600 });
    port = await findPort();
    redis = await startRedis([
      ...['--appendonly', 'yes', '--appendfsync', 'always', '--tls-port', String(port), '--tls-auth-clients', 'yes'],
      ...['--tls-cert-file', path('redis.crt'), '--tls-key-file', path('redis.key')],
      ...['--tls-ca-cert-file', path('ca.crt')],
    ]);
    await redis.admin.acl('SETUSER', 'introspectd', 'on', `>${PASSWORD}`, ...readAclOfReadme());
  });
  after(async () => {
    await redis.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const GOOD = {
    username: 'introspectd',
    password_file: path('password'),
    tls: { ca_file: path('ca.crt'), cert_file: path('daemon.crt'), key_file: path('daemon.key') },
  };
  const start = (store: object, host = 'localhost') => {
    const url = `rediss://${host}:${port}/0`;
    return startTestDaemon({ config: { store: { kind: 'redis', url, ...GOOD, ...store }, keys_file: path('keys') } });
  };

  for (const host of ['localhost', '127.0.0.1']) {
    it(`by ${host}: registers, answers and revokes with the rights that the README names`, async () => {
      const daemon = await start({}, host);
      try {
        const grant = { grantId: `grant-${host}` };
        await daemon.register([
          { token: `refresh-${host}`, claims: { ...grant, tokenUse: 2 } },
          { token: `access-${host}`, claims: grant },
        ]);
        const orders = daemon.client('orders');
        assert.equal((await orders.introspect(`access-${host}`)).active, true);
        await daemon.client('security').revoke(`refresh-${host}`);
        await daemon.client('security').revoke(`unknown-${host}`);
        assert.deepEqual(await orders.introspect(`access-${host}`), { active: false });
        const config = ['--config', daemon.workspace.configFile];
        for (const command of [['show'], ['set', host === 'localhost' ? 'max_token_ttl=40d' : 'max_token_ttl=50d']]) {
          const { code, stderr } = await runCli(['store', ...command, ...config]);
          assert.equal(code, 0, stderr);
        }
        assert.doesNotMatch(daemon.log(), new RegExp(PASSWORD));
      } finally {
        await daemon.stop();
      }
    });
  }

  it('rights that are needed and not given would be seen: the log of refused commands is empty', async () => {
    assert.deepEqual(await redis.admin.acl('LOG'), []);
  });

  const REFUSED: readonly (readonly [name: string, store: object, host: string, reason: RegExp])[] = [
    ['another CA', { tls: { ...GOOD.tls, ca_file: path('other.crt') } }, 'localhost', /UNABLE_TO_VERIFY|SELF_SIGNED/],
    ['a name that is not in the certificate', {}, '127.0.0.2', /ERR_TLS_CERT_ALTNAME_INVALID/],
    [
      'no client certificate',
      { tls: { ca_file: path('ca.crt') } },
      'localhost',
      /CERTIFICATE_REQUIRED|closed the connection/,
    ],
    ['another password', { password_file: path('wrong-password') }, 'localhost', /refuses the password/],
    ['another user', { username: 'nobody' }, 'localhost', /refuses the password/],
  ];
  // Each tries for seconds before it gives up.
  describe('refused', { concurrency: true }, () => {
    for (const [name, store, host, reason] of REFUSED) {
      it(`${name}: does not start, and says why`, async () => {
        await assert.rejects(start(store, host), (error: Error) => {
          assert.match(error.message, /the store in rediss:\/\/.* cannot be used/);
          assert.match(error.message, reason);
          assert.doesNotMatch(error.message, new RegExp(`${PASSWORD}|BEGIN`));
          return true;
        });
      });
    }
  });
});

async function writeCertificates(path: (name: string) => string): Promise<void> {
  const validity = validForDays(1, Date.now());
  const [ca, other] = [await createDevCa('Redis CA', validity), await createDevCa('other CA', validity)];
  const names = { dnsNames: ['localhost'], ips: ['127.0.0.1'] };
  const server = await issueLeaf(ca, { name: 'redis', use: 'server', ...names, validity });
  const client = await issueLeaf(ca, { name: 'daemon', use: 'client', dnsNames: ['daemon'], validity });
  writeFileSync(path('ca.crt'), ca.certPem);
  writeFileSync(path('other.crt'), other.certPem);
  for (const [name, { certPem, keyPem }] of [['redis', server] as const, ['daemon', client] as const]) {
    writeFileSync(path(`${name}.crt`), certPem);
    writeFileSync(path(`${name}.key`), keyPem, { mode: 0o600 });
  }
}

async function findPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
