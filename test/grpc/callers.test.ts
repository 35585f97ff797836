// Only trusted callers: every certificate that must not pass, over real TLS, and no handler runs for any of them.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createSecureContext } from 'node:tls';
import { type ChannelCredentials, credentials, ServerCredentials } from '@grpc/grpc-js';
import type { Introspect } from '../../src/core/introspect.js';
import { createPolicy, type Policy } from '../../src/core/policy.js';
import {
  AUDIENCE,
  createTestPolicy,
  createTestServerCredentials,
  getTestCa,
  ISSUER,
  startTestServer,
  type TestServer,
  TRUST_DOMAIN,
  toChannelCredentials,
} from '../support/start-server.js';
import { createSelfSigned, type TestCa, type TestIdentity } from '../support/test-ca.js';
import { ask } from './ask.js';
import { CALLER_CASES, ORDERS, pem } from './caller-cases.js';

const REQUEST = { token: 'abc', tokenTypeHint: '', audiences: [], includeTags: false };

describe('callers', () => {
  let server: TestServer;
  let ca: TestCa;
  let ran = 0;
  const counting: Introspect = {
    one: async () => {
      ran++;
      return { active: false, reason: 'NOT_FOUND' };
    },
    many: async () => [],
  };

  before(async () => {
    ca = await getTestCa();
    server = await startTestServer({ introspect: counting, policy: withDnsCallers() });
  });
  after(() => server.close());

  for (const { name, code, reason, credentials: create } of CALLER_CASES) {
    it(`${name}: ${code}`, async () => {
      const { introspection } = server.connect(await create(ca));
      const before = ran;
      const answer = await ask(introspection, 'introspect', REQUEST);
      assert.equal(answer.code, code, answer.error?.details);
      assert.equal(answer.details.reason, reason);
      assert.equal(ran - before, code === 'OK' ? 1 : 0);
    });
  }

  it('never takes identity from metadata', async () => {
    const { introspection } = server.connect(toChannelCredentials(ca, await ca.issue({ uris: [`${ORDERS}/x`] })));
    const metadata = { 'x-forwarded-client-cert': `URI=${ORDERS}`, 'x-spiffe-id': ORDERS };
    const answer = await ask(introspection, 'introspect', REQUEST, { metadata });
    assert.equal(answer.details.reason, 'CALLER_UNKNOWN');
  });

  it('refuses a certificate that is there and was not verified', async () => {
    const identity = await ca.issue({ dnsNames: ['localhost'] });
    await using lax = await startTestServer({ introspect: counting, credentials: new LaxCredentials(identity, ca) });
    const before = ran;
    for (const client of [
      toChannelCredentials(ca, await createSelfSigned({ uris: [ORDERS] })),
      credentials.createSsl(pem(ca)),
    ]) {
      const answer = await ask(lax.connect(client).introspection, 'introspect', REQUEST);
      assert.equal(answer.details.reason, 'CALLER_UNIDENTIFIED');
    }
    assert.equal(ran, before);
  });
});

describe('a revocation list', () => {
  it('refuses who is on it, and again after the credentials were replaced', async () => {
    const ca = await getTestCa();
    const [good, revoked] = [await ca.issue({ uris: [ORDERS] }), await ca.issue({ uris: [ORDERS] })];
    const serverIdentity = await ca.issue({ dnsNames: ['localhost'] });
    const serverCredentials = await createTestServerCredentials(await ca.crl([revoked]));
    await using server = await startTestServer({ credentials: serverCredentials });
    const tls12 = credentials.createFromSecureContext(
      createSecureContext({ ca: ca.certPem, cert: good.certPem, key: good.keyPem, maxVersion: 'TLSv1.2' }),
    );
    const askAs = async (client: ChannelCredentials) =>
      (await ask(server.connect(client).introspection, 'introspect', REQUEST)).code;
    const material = {
      cert: Buffer.from(serverIdentity.certPem),
      key: Buffer.from(serverIdentity.keyPem),
      clientCa: pem(ca),
      crl: Buffer.from(await ca.crl([revoked])),
    };
    for (let reload = 0; reload < 3; reload++) {
      assert.equal(await askAs(toChannelCredentials(ca, good)), 'OK');
      assert.equal(await askAs(toChannelCredentials(ca, revoked)), 'UNAVAILABLE');
      assert.equal(await askAs(tls12), 'UNAVAILABLE');
      serverCredentials.replace(material);
    }
    assert.throws(() => serverCredentials.replace({ ...material, key: Buffer.from(good.keyPem) }), {
      message: 'TLS: key does not belong to the certificate',
    });
    assert.equal(await askAs(toChannelCredentials(ca, good)), 'OK');
    serverCredentials.replace({ ...material, crl: Buffer.from(await ca.crl([])) });
    assert.equal(await askAs(toChannelCredentials(ca, revoked)), 'OK');
  });
});

describe('a policy that changes', () => {
  it('holds for the next call of an open connection', async () => {
    let policy = countLookups(createTestPolicy());
    await using server = await startTestServer({ policy: () => policy });
    const { introspection } = await server.connectAs('orders');
    for (let call = 0; call < 3; call++) assert.equal((await ask(introspection, 'introspect', REQUEST)).code, 'OK');
    assert.equal(policy.lookups, 1, 'asked once a connection');
    policy = countLookups(createPolicy([]));
    assert.equal((await ask(introspection, 'introspect', REQUEST)).details.reason, 'CALLER_UNKNOWN');
    policy = countLookups(createTestPolicy());
    assert.equal((await ask(introspection, 'introspect', REQUEST)).code, 'OK');
  });
});

function countLookups(policy: Policy): Policy & { lookups: number } {
  const counting = {
    lookups: 0,
    getCaller: (identities: readonly string[]) => {
      counting.lookups++;
      return policy.getCaller(identities);
    },
  };
  return counting;
}

/** What createSsl(..., false) would be: a certificate is asked for, and taken whatever it is. */
class LaxCredentials extends ServerCredentials {
  constructor({ certPem, keyPem }: TestIdentity, ca: TestCa) {
    super({ requestCert: true, rejectUnauthorized: false }, { cert: certPem, key: keyPem, ca: ca.certPem });
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

function withDnsCallers(): () => Policy {
  const rule = {
    permissions: ['introspect'],
    revoke: [],
    issuers: [ISSUER],
    audiences: [AUDIENCE],
    tokenUse: undefined,
    claims: undefined,
  } as const;
  const policy = createPolicy([
    { ...rule, name: 'orders', identities: [ORDERS] },
    { ...rule, name: 'auditor', identities: [`${TRUST_DOMAIN}/auditor`] },
    { ...rule, name: 'nobody', identities: [`${TRUST_DOMAIN}/nobody`], permissions: [] },
    { ...rule, name: 'reports', identities: ['dns:reports.mesh.test'] },
    { ...rule, name: 'billing', identities: ['dns:billing.mesh.test'] },
  ]);
  return () => policy;
}
