// The guard before real HTTP servers: what is let through, and how the others are answered.
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type IntrospectionClient, IntrospectionError, type IntrospectionResult } from '@introspectd/client';
import { createHttpGuard, type GuardedRequest } from '@introspectd/client/http-guard';
import fastify from 'fastify';
import { AUDIENCE, GOOD, GUARD_CASES, type Outcome, REQUIREMENTS } from './guard-cases.js';
import { authority, clientLeaf, serverLeaf } from './support/scripted-server.js';

const SCOPES = 'orders:read orders:write';

/** Status and challenge of each outcome (RFC 6750 §3). */
const ANSWERS: Readonly<Record<Outcome, readonly [status: number, challenge: string | undefined]>> = {
  allowed: [200, undefined],
  no_token: [401, 'Bearer realm="shop \\"one\\""'],
  invalid_request: [400, 'Bearer realm="shop \\"one\\"", error="invalid_request"'],
  invalid_token: [401, 'Bearer realm="shop \\"one\\"", error="invalid_token"'],
  insufficient_scope: [403, `Bearer realm="shop \\"one\\"", error="insufficient_scope", scope="${SCOPES}"`],
  unknown: [503, undefined],
};

let result: IntrospectionResult | IntrospectionError;
let asked: Parameters<IntrospectionClient['introspect']>[] = [];
const client: Pick<IntrospectionClient, 'introspect'> = {
  introspect: async (...call) => {
    asked.push(call);
    if (result instanceof IntrospectionError) throw result;
    return result;
  },
};
const guard = createHttpGuard(client, { ...REQUIREMENTS, realm: 'shop "one"' });

function serve(incoming: IncomingMessage, response: ServerResponse): void {
  guard(incoming, response, (error) => {
    if (error !== undefined) response.statusCode = 500;
    response.end((incoming as GuardedRequest).introspection?.sub);
  });
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

async function get(port: number, authorization: readonly string[], path = '/'): Promise<Answer> {
  const headers = authorization.flatMap((value) => ['Authorization', value]);
  const outgoing = request({
    port,
    path,
    host: '127.0.0.1',
    headers: ['Host', 'localhost', ...headers] as never,
  }).end();
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of incoming) body += chunk;
  return { status: incoming.statusCode, headers: incoming.headers, body };
}

function portOf(server: { address(): AddressInfo | string | null }): number {
  return (server.address() as AddressInfo).port;
}

describe('a guard before node:http', () => {
  let server: Server;
  before(async () => {
    server = createServer(serve).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(() => server.close());

  for (const { name, authorization, result: answer = GOOD, expect } of GUARD_CASES) {
    it(`${name}: ${expect}`, async () => {
      result = answer;
      const { status, headers, body } = await get(portOf(server), authorization);
      const [expectedStatus, challenge] = ANSWERS[expect];
      assert.deepEqual([status, headers['www-authenticate']], [expectedStatus, challenge]);
      assert.equal(headers['cache-control'], expect === 'allowed' ? undefined : 'no-store');
      if (expect === 'allowed') assert.equal(body, 'alice');
      else assert.doesNotMatch(body, /alice/);
    });
  }

  it('refuses two Authorization fields, and a token in two places', async () => {
    result = GOOD;
    asked = [];
    for (const [authorization, path] of [
      [['Bearer t', 'Bearer t'], '/'],
      [['Bearer t', 'Basic u'], '/'],
      [['Bearer t'], '/?access_token=t'],
      [['Bearer t'], '/?a=b&access_token=u'],
    ] as const) {
      assert.equal((await get(portOf(server), authorization, path)).status, 400, `${authorization} ${path}`);
    }
    assert.equal((await get(portOf(server), [], '/?access_token=t')).status, 401);
    assert.deepEqual(asked, []);
  });

  it('asks for the audiences that it requires', async () => {
    result = GOOD;
    asked = [];
    await get(portOf(server), ['Bearer t']);
    assert.deepEqual(asked, [['t', { audiences: [AUDIENCE], fresh: false }]]);
  });

  it('says when to come back, where that is known', async () => {
    result = new IntrospectionError('UNAVAILABLE', 'no', { retryDelayMs: 1_500 });
    assert.equal((await get(portOf(server), ['Bearer t'])).headers['retry-after'], '2');
    result = new IntrospectionError('INTERNAL', 'no');
    assert.equal((await get(portOf(server), ['Bearer t'])).headers['retry-after'], undefined);
  });

  for (const [name, options] of [
    ['no audience', { audiences: [] }],
    ['an empty audience', { audiences: [''] }],
    ['two scopes in one', { audiences: [AUDIENCE], scopes: ['a b'] }],
  ] as const) {
    it(`is not made for ${name}`, () => {
      assert.throws(() => createHttpGuard(client, options as never), { code: 'INVALID_ARGUMENT' });
    });
  }
});

describe('a token bound to a certificate', () => {
  const thumbprint = createHash('sha256').update(new X509Certificate(clientLeaf.certPem).raw).digest('base64url');
  let server: ReturnType<typeof createHttpsServer>;
  before(async () => {
    const { certPem: cert, keyPem: key } = serverLeaf;
    server = createHttpsServer(
      { cert, key, ca: authority.certPem, requestCert: true, rejectUnauthorized: false },
      serve,
    );
    server.listen(0, 'localhost');
    await once(server, 'listening');
  });
  after(() => server.close());

  async function getOverTls(identity: object): Promise<number | undefined> {
    const headers = { authorization: 'Bearer t' };
    const options = {
      port: portOf(server),
      host: 'localhost',
      ca: authority.certPem,
      headers,
      agent: false,
      ...identity,
    };
    const [incoming] = (await once(httpsRequest(options).end(), 'response')) as [IncomingMessage];
    incoming.resume();
    return incoming.statusCode;
  }

  it('is good over a connection with that certificate, and only with no other proof owed', async () => {
    const own = { cert: clientLeaf.certPem, key: clientLeaf.keyPem };
    const other = await authority.issue({ uris: ['spiffe://mesh.example/other'] });
    result = { ...GOOD, cnf: { 'x5t#S256': thumbprint } };
    assert.equal(await getOverTls(own), 200);
    assert.equal(await getOverTls({ cert: other.certPem, key: other.keyPem }), 401);
    assert.equal(await getOverTls({}), 401);
    result = { ...GOOD, cnf: { 'x5t#S256': thumbprint, jkt: 'k' } };
    assert.equal(await getOverTls(own), 401);
  });
});

describe('a guard before Fastify', () => {
  it('answers by itself, or lets the request through', async () => {
    const app = fastify();
    app.addHook('onRequest', (incoming, reply, done) => {
      guard(incoming.raw, reply.raw, (error) => done(error as Error | undefined));
    });
    app.get('/', async (incoming) => (incoming.raw as GuardedRequest).introspection.sub);
    await app.listen({ port: 0, host: '127.0.0.1' });
    const port = portOf(app.server);
    result = GOOD;
    const allowed = await get(port, ['Bearer t']);
    assert.deepEqual([allowed.status, allowed.body], [200, 'alice']);
    result = { active: false };
    const refused = await get(port, ['Bearer t']);
    assert.deepEqual([refused.status, refused.headers['www-authenticate']], ANSWERS.invalid_token);
    await app.close();
  });
});
