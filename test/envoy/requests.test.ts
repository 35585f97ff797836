// Real requests through a real Envoy to a service that records what reaches it. What is denied never does.
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { AUDIENCE, ISSUER } from '../cases/introspect-cases.js';
import { CALLERS, startTestDaemon, type TestDaemon } from '../support/daemon.js';
import { type AskOptions, type Envoy, type EnvoyRequest, startEnvoy } from './support/envoy.js';
import { findEnvoyBinary } from './support/envoy-binary.js';

const found = findEnvoyBinary();
const [binary, skip] = typeof found === 'string' ? [undefined, found] : [found, false];

const GOOD = 'good-token-behind-envoy';
const OTHER_AUDIENCE = 'https://billing.example';
const ROUTES = {
  '/read': { scopes_all: 'read' },
  '/admin': { scopes_all: 'read admin' },
  '/any': { scopes_any: 'admin write' },
  '/billing': { audience: OTHER_AUDIENCE },
  '/typo': { scope: 'read' },
};
/** Spoofed by the client, in every case that its hands reach. */
const SPOOFED = { 'x-introspectd-sub': 'root', 'X-Introspectd-Scope': 'admin', 'x-introspectd-client-id': 'evil' };

describe('requests through Envoy', { skip }, () => {
  let daemon: TestDaemon;
  let envoy: Envoy;
  before(async () => {
    if (binary === undefined) return;
    const callers = [
      ...CALLERS.filter(({ name }) => name !== 'envoy'),
      { name: 'envoy', permissions: ['check'], issuers: [ISSUER], audiences: [AUDIENCE], check_anonymous: true },
      {
        name: 'blind',
        permissions: ['check'],
        issuers: [ISSUER],
        audiences: [AUDIENCE],
        claims: ['sub'],
        rate: { per_second: 1, burst: 1 },
      },
    ];
    // A busy machine is no doubt of the store.
    const config = { ext_authz: { budget: '5s' }, limits: { store_timeout: '5s' }, log: { level: 'debug' } };
    daemon = await startTestDaemon({ callers, strangers: ['stranger'], config });
    envoy = await startOn(daemon, 'envoy');
    const past = BigInt(Math.floor(Date.now() / 1000) - 60);
    await daemon.register([
      { token: GOOD, claims: { sub: 'änne % 1\u{1f511}', jti: 'jti-1' } },
      { token: 'expired-behind-envoy', claims: { iat: past, exp: past + 1n } },
      { token: 'of-another-audience', claims: { aud: [OTHER_AUDIENCE] } },
      { token: 'bound-behind-envoy', claims: { cnf: { x5tS256: thumbprint('orders') } } },
      { token: 'bound-to-dpop', claims: { cnf: { jkt: thumbprint('orders') } } },
      { token: 'to-be-revoked' },
      { token: 'without-claims', claims: { sub: undefined, scope: undefined, clientId: undefined } },
    ]);
  });
  after(async () => {
    await envoy?.stop();
    await daemon?.stop();
  });

  const startOn = (on: TestDaemon, caller: string, changes: Pick<EnvoyRequest, 'filter' | 'healthChecks'> = {}) => {
    assert.ok(binary !== undefined);
    const at = (name: string) => join(on.workspace.folder, name);
    const serverTls = { certFile: at('server.crt'), keyFile: at('server.key') };
    const request = { ...changes, binary, serverTls, daemons: [on.process.target], routes: ROUTES };
    return startEnvoy({ ...request, tls: on.workspace.tls(caller), patience: 'long' });
  };
  const thumbprint = (name: string) => {
    const { raw } = new X509Certificate(readFileSync(daemon.workspace.tls(name).certFile));
    return createHash('sha256').update(raw).digest('base64url');
  };
  const bearer = (token: string, more: AskOptions = {}): AskOptions => ({
    ...more,
    headers: { authorization: `Bearer ${token}`, ...more.headers },
  });
  const passes = async (path: string, options: AskOptions, through = envoy) => {
    const before = through.upstream.received.length;
    const answer = await through.ask(path, options);
    assert.equal(answer.status, 200, answer.body);
    assert.equal(through.upstream.received.length, before + 1);
    const received = through.upstream.received.at(-1);
    assert.ok(received !== undefined);
    return received;
  };
  const isDenied = async (status: number, path: string, options: AskOptions, through = envoy) => {
    const before = through.upstream.received.length;
    const answer = await through.ask(path, options);
    assert.equal(answer.status, status, answer.body);
    assert.equal(through.upstream.received.length, before, 'it reached the service');
    return answer;
  };

  it('a good token passes with verified identity headers, over those that the client made up', async () => {
    const { headers, rawHeaders } = await passes('/read', bearer(GOOD, { headers: SPOOFED }));
    assert.equal(headers['x-introspectd-sub'], '%C3%A4nne%20%25%201%F0%9F%94%91');
    assert.equal(headers['x-introspectd-client-id'], 'web');
    assert.equal(headers['x-introspectd-scope'], 'read write');
    assert.equal(headers['x-introspectd-iss'], ISSUER);
    assert.match(String(headers['x-introspectd-exp']), /^\d{10}$/);
    const names = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
    assert.equal(names.filter((name) => name === 'x-introspectd-sub').length, 1);
    assert.equal(headers.authorization, `Bearer ${GOOD}`);
  });

  it('claims that are not there are no headers, whatever the client made up', async () => {
    const { headers } = await passes('/', bearer('without-claims', { headers: SPOOFED }));
    for (const name of ['sub', 'scope', 'client-id']) assert.equal(headers[`x-introspectd-${name}`], undefined);
  });

  it('claims that the policy hides are no headers', async () => {
    const blind = await startOn(daemon, 'blind');
    try {
      const { headers } = await passes('/read', bearer(GOOD, { headers: SPOOFED }), blind);
      assert.equal(headers['x-introspectd-scope'], undefined);
      assert.equal(headers['x-introspectd-client-id'], undefined);
      assert.ok(headers['x-introspectd-sub']);
      // The rate of tokens, one a second here, is not for Checks.
      for (let more = 0; more < 3; more++) await passes('/read', bearer(GOOD), blind);
    } finally {
      await blind.stop();
    }
  });

  const DENIED: readonly (readonly [
    name: string,
    status: number,
    path: string,
    options: AskOptions,
    challenge: RegExp,
  ])[] = [
    ['no token', 401, '/read', {}, /^Bearer realm="introspectd"$/],
    ['an unknown token', 401, '/read', bearer('nobody-knows-it'), /error="invalid_token"/],
    ['an expired token', 401, '/read', bearer('expired-behind-envoy'), /error="invalid_token"/],
    ['a token for another audience', 401, '/read', bearer('of-another-audience'), /error="invalid_token"/],
    ['a missing scope', 403, '/admin', bearer(GOOD), /error="insufficient_scope", scope="read admin"/],
    [
      'a route with an audience that Envoy may not ask for',
      403,
      '/billing',
      bearer('of-another-audience'),
      /^undefined$/,
    ],
    ['a route with an unknown demand', 403, '/typo', bearer(GOOD), /^undefined$/],
    [
      'two Authorization',
      401,
      '/read',
      { headers: { authorization: [`Bearer ${GOOD}`, `Bearer ${GOOD}`] } },
      /invalid_request/,
    ],
    [
      'two Authorization, the first bad',
      401,
      '/read',
      { headers: { authorization: ['Bearer x', `Bearer ${GOOD}`] } },
      /invalid_request/,
    ],
    ['bytes that are not UTF-8', 401, '/read', bearer(`${GOOD}\u00ff`), /error="invalid_token"/],
    ['a token in the query', 401, `/read?access_token=${GOOD}`, bearer(GOOD), /invalid_request/],
    ['an oversized token', 401, '/read', bearer('x'.repeat(5000)), /error="invalid_token"/],
    ['a bound token without a certificate', 401, '/read', bearer('bound-behind-envoy'), /error="invalid_token"/],
    ['a token bound to a DPoP key', 401, '/read', bearer('bound-to-dpop'), /error="invalid_token"/],
    ['a bad token where none is needed', 401, '/public/a', bearer('nobody-knows-it'), /error="invalid_token"/],
  ];
  for (const [name, status, path, options, challenge] of DENIED) {
    it(`${name}: ${status}`, async () => {
      const { headers, body } = await isDenied(status, path, options);
      assert.match(String(headers['www-authenticate']), challenge);
      assert.equal(headers['content-type'], 'application/json');
      assert.match(body, /^\{"error":"[a-z_]+"\}$/);
    });
  }

  it('the key of a route that is not understood stands in the log', () => {
    const lines = daemon
      .log()
      .split('\n')
      .filter((line) => line.includes('"check_misconfigured"'));
    assert.ok(
      lines.some((line) => line.includes('"problem":"unknown context extension"') && line.includes('"key":"scope"')),
    );
  });

  it('nobody who sends a token is anonymous, and who sends none is, where route and policy say so', async () => {
    const { headers } = await passes('/public/a', { headers: SPOOFED });
    for (const name of ['sub', 'scope', 'client-id']) assert.equal(headers[`x-introspectd-${name}`], undefined);
    assert.equal((await passes('/public/a', bearer(GOOD))).headers['x-introspectd-client-id'], 'web');
  });

  it('a path that hides what it is does not get around a route', async () => {
    await isDenied(403, '/public/../admin', bearer(GOOD));
    await isDenied(400, '/public%2f..%2fadmin', bearer(GOOD));
    await isDenied(400, '/read', bearer(GOOD, { headers: { x_introspectd_sub: 'root' } }));
  });

  it('a bound token passes with its certificate, and with no other', async () => {
    const [own, other] = [daemon.workspace.tls('orders'), daemon.workspace.tls('auditor')];
    await passes('/read', bearer('bound-behind-envoy', { tls: own }));
    await isDenied(401, '/read', bearer('bound-behind-envoy', { tls: other }));
  });

  it('after Revoke returned, the next request is refused', async () => {
    await passes('/read', bearer('to-be-revoked'));
    await daemon.client('security').revoke('to-be-revoked');
    await isDenied(401, '/read', bearer('to-be-revoked'));
  });

  it('headers that Envoy joined are refused too', async () => {
    const joining = await startOn(daemon, 'envoy', { filter: { encode_raw_headers: false } });
    try {
      await passes('/read', bearer(GOOD), joining);
      const two = { headers: { authorization: [`Bearer ${GOOD}`, `Bearer ${GOOD}`] } };
      await isDenied(401, '/read', two, joining);
      await isDenied(401, '/read', bearer(`${GOOD}\u00ff`), joining);
    } finally {
      await joining.stop();
    }
  });

  it('an Envoy that may not ask lets nothing pass, not even with failure_mode_allow', async () => {
    for (const caller of ['orders', 'stranger']) {
      const open = await startOn(daemon, caller, { filter: { failure_mode_allow: true }, healthChecks: 'none' });
      try {
        await isDenied(403, '/read', bearer(GOOD), open);
      } finally {
        await open.stop();
      }
    }
  });

  it('a daemon that is gone: 503, and nothing passes', async () => {
    await daemon.process.stop('SIGKILL');
    await isDenied(503, '/read', bearer(GOOD));
  });
});
