// A second decoder: protobufjs, which knows proto/ and none of our stubs, must read from the wire what they read.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Client, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { load } from '@grpc/proto-loader';
import { AUDIENCE, ISSUER } from '../cases/introspect-cases.js';
import { startTestDaemon, type TestDaemon } from '../support/daemon.js';
import { createTestCredentials } from '../support/test-credentials.js';

const PROTO = fileURLToPath(new URL('../../../proto', import.meta.url));
const OPTIONS = { keepCase: true, longs: Number, enums: String, defaults: false } as const;
const NOW_SECONDS = Math.floor(Date.now() / 1000);
const CLAIMS = {
  iss: ISSUER,
  aud: [AUDIENCE, 'https://other.example'],
  sub: 'ålice',
  client_id: 'web',
  scope: 'read write',
  token_use: 'TOKEN_USE_ACCESS_TOKEN',
  token_type: 'DPoP',
  iat: NOW_SECONDS,
  exp: NOW_SECONDS + 3600,
  cnf: { jkt: 'a'.repeat(42) + 'A' },
  jti: 'jti-1',
};

type Call = (request: unknown, callback: (error: Error | null, response: unknown) => void) => void;

/** How long a client may keep it is all that an inactive answer has. */
const INACTIVE = { cache_ms: 1000 };

describe('a client that knows only proto/', () => {
  let daemon: TestDaemon;
  let services: Readonly<Record<string, ServiceClientConstructor>>;
  const clients: Client[] = [];
  before(async () => {
    daemon = await startTestDaemon();
    const files = ['introspection_service.proto', 'token_registry_service.proto'];
    const definition = await load(
      files.map((file) => join('introspectd/v1', file)),
      { ...OPTIONS, includeDirs: [PROTO, join(PROTO, 'third_party')] },
    );
    const loaded = loadPackageDefinition(definition) as unknown as { introspectd: { v1: typeof services } };
    services = loaded.introspectd.v1;
  });
  after(async () => {
    for (const client of clients) client.close();
    await daemon.stop();
  });

  function call(caller: string, service: string, method: string, request: unknown): Promise<unknown> {
    const Service = services[service];
    assert.ok(Service);
    const client = new Service(daemon.process.target, createTestCredentials(daemon.workspace.tls(caller)));
    clients.push(client);
    const invoke = (client as unknown as Record<string, Call | undefined>)[method];
    assert.ok(invoke);
    return new Promise((resolve, reject) => {
      invoke.call(client, request, (error, response) => (error ? reject(error) : resolve(response)));
    });
  }

  it('registers, asks, asks for many, revokes, and reads what the published client reads', async () => {
    const entries = [{ token: 'dynamic', claims: CLAIMS }];
    assert.deepEqual(await call('login', 'TokenRegistryService', 'RegisterTokens', { entries }), {
      results: [{ status: {} }],
    });
    const answer = { active: true, claims: CLAIMS };
    const ask = () => call('orders', 'IntrospectionService', 'Introspect', { token: 'dynamic' });
    assert.deepEqual(await ask(), answer);
    const items = [{ token: 'dynamic' }, { token: 'unknown' }, { token: 'not a token' }];
    const many = (await call('orders', 'IntrospectionService', 'BatchIntrospect', { items })) as {
      readonly results: readonly { response?: unknown; error?: { code: number } }[];
    };
    assert.deepEqual(many.results[0]?.response, answer);
    assert.deepEqual(many.results[1]?.response, INACTIVE);
    assert.equal(many.results[2]?.error?.code, 3);

    const published = await daemon.client('orders').introspect('dynamic');
    const { token_use: _, ...shared } = CLAIMS;
    assert.deepEqual(published, { active: true, ...shared, token_use: 'access_token' });

    const revoked = (await call('security', 'IntrospectionService', 'Revoke', { token: 'dynamic' })) as object;
    assert.ok('revision' in revoked);
    assert.deepEqual(await ask(), INACTIVE);
  });
});
