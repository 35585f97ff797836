// The door of ext_authz on a real server: what Envoy is told, also when things go wrong.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { StoreUnavailable } from '../../src/core/errors.js';
import type { TokenStore } from '../../src/core/token-store.js';
import { type InProcessDaemon, startInProcessDaemon } from '../support/in-process-daemon.js';
import { createRawCaller, type RawCaller } from '../support/raw-call.js';
import { CHECK, type CheckAnswer, type CheckParts, decodeAnswer, encodeCheck } from './support/check-message.js';

const GOOD = 'a-good-token-of-the-authorization-service';
const BEARER = { headers: { authorization: `Bearer ${GOOD}` } };
const DOUBT = { code: 14, httpStatus: 503, body: '{"error":"temporarily_unavailable"}' };
const REFUSED = { code: 7, httpStatus: 403, body: '{"error":"access_denied"}' };

type Read = TokenStore['read'];
type Fault = (read: Read) => Read;

interface Site {
  readonly daemon: InProcessDaemon;
  /** Of the store's reads, from now on. */
  setFault(fault: Fault | undefined): void;
  as(caller: string): RawCaller;
  metric(outcome: string): Promise<number>;
  close(): Promise<void>;
}

async function startSite(config: Readonly<Record<string, unknown>>): Promise<Site> {
  let fault: Fault | undefined;
  const daemon = await startInProcessDaemon(
    (store) => ({ ...store, read: (...args) => (fault?.(store.read) ?? store.read)(...args) }),
    config,
  );
  await daemon.register([{ token: GOOD, claims: { jti: 'jti-7', username: 'alice@example' } }]);
  const callers = new Map<string, RawCaller>();
  return {
    daemon,
    setFault: (next) => {
      fault = next;
    },
    as: (name) => {
      const caller = callers.get(name) ?? createRawCaller(daemon.target, daemon.workspace.tls(name));
      callers.set(name, caller);
      return caller;
    },
    metric: async (outcome) => {
      const text = await (await fetch(`http://${daemon.opsTarget}/metrics`)).text();
      return Number(
        new RegExp(`^introspectd_checks_total\\{.*outcome="${outcome}".*\\} (\\d+)`, 'm').exec(text)?.[1] ?? 0,
      );
    },
    close: async () => {
      for (const caller of callers.values()) caller.close();
      await daemon.stop();
    },
  };
}

async function check(site: Site, parts: CheckParts, caller = 'envoy'): Promise<CheckAnswer> {
  const { error, bytes } = await site.as(caller).call(CHECK, encodeCheck(parts));
  assert.equal(error, null);
  assert.ok(bytes !== undefined);
  return decodeAnswer(bytes);
}

const pick = ({ code, httpStatus, body }: CheckAnswer) => ({ code, httpStatus, body });
const gone: Fault = () => () => Promise.reject(new StoreUnavailable('gone'));
const hung: Fault = () => () => new Promise<never>(() => undefined);
const broken: Fault = () => () => Promise.reject(new TypeError('nobody foresaw this'));

describe('Check', () => {
  let site: Site;
  before(async () => {
    site = await startSite({ ext_authz: { strip_authorization: true, realm: 'the shop' } });
  });
  after(() => site.close());

  it('on allow: headers that overwrite, those that are removed, the credential gone, claims as metadata', async () => {
    const { code, headers, removed, metadata, response } = await check(site, BEARER);
    assert.equal(code, 0);
    assert.deepEqual(Object.keys(headers).sort(), [
      'x-introspectd-client-id',
      'x-introspectd-exp',
      'x-introspectd-iss',
      'x-introspectd-scope',
      'x-introspectd-sub',
    ]);
    assert.equal(headers['x-introspectd-sub'], 'alice');
    assert.deepEqual(removed, ['authorization']);
    const options = response.httpResponse?.value.headers ?? [];
    // OVERWRITE_IF_EXISTS_OR_ADD; left out, Envoy appends.
    assert.deepEqual([...new Set(options.map(({ appendAction }) => appendAction))], [2]);
    const { exp, iat, ...claims } = metadata as Readonly<Record<string, unknown>>;
    assert.ok(typeof exp === 'number' && typeof iat === 'number');
    assert.deepEqual(claims, {
      iss: 'https://login.example',
      aud: ['https://orders.example'],
      sub: 'alice',
      client_id: 'web',
      scope: 'read write',
      token_use: 'access_token',
      jti: 'jti-7',
    });
  });

  it('anonymous: every identity header is removed', async () => {
    const { code, headers, removed, metadata } = await check(site, { extensions: { anonymous: 'true' } });
    assert.deepEqual([code, headers, metadata], [0, {}, {}]);
    assert.equal(removed.length, 6);
  });

  it('on deny: 401 with the realm, JSON, and nothing for caches', async () => {
    const answer = await check(site, {});
    assert.deepEqual(pick(answer), { code: 16, httpStatus: 401, body: '{"error":"credentials_required"}' });
    assert.deepEqual(answer.headers, {
      'www-authenticate': 'Bearer realm="the shop"',
      'content-type': 'application/json',
      'cache-control': 'no-store',
    });
  });

  it('a scope that cannot be quoted is left out of the challenge', async () => {
    const { headers } = await check(site, { ...BEARER, extensions: { scopes_all: 'a"b c\\d e' } });
    assert.equal(headers['www-authenticate'], 'Bearer realm="the shop", error="insufficient_scope", scope="e"');
  });

  it('whoever may not ask is told a denial, and no gRPC error that Envoy could let pass', async () => {
    assert.deepEqual(pick(await check(site, BEARER, 'orders')), REFUSED);
    assert.ok((await site.metric('refused')) > 0);
    assert.match(site.daemon.log(), /"caller":"orders","method":"Check","code":"PERMISSION_DENIED"/);
  });

  it('bytes that are no message are a denial', async () => {
    const { bytes } = await site.as('envoy').call(CHECK, Buffer.from([0x0a, 0xff, 0x01, 0x07]));
    assert.deepEqual(pick(decodeAnswer(bytes ?? Buffer.alloc(0))), REFUSED);
  });

  for (const [name, fault] of Object.entries({ gone, hung, broken })) {
    it(`a store that is ${name}: a denied 503 with Retry-After, for good tokens and bad`, async () => {
      site.setFault(fault);
      for (const parts of [BEARER, { headers: { authorization: 'Bearer x' } }]) {
        const answer = await check(site, parts);
        assert.deepEqual(pick(answer), DOUBT);
        assert.equal(answer.headers['retry-after'], '1');
      }
      site.setFault(undefined);
    });
  }

  it('an answer that comes after the budget does not leave, though it is a good one', async () => {
    // The timer of the budget runs in this very loop: it cannot fire before the read is there.
    site.setFault((read) => async (...args) => {
      const reply = await read(...args);
      const endMs = performance.now() + 200;
      while (performance.now() < endMs);
      return reply;
    });
    assert.deepEqual(pick(await check(site, BEARER)), DOUBT);
    site.setFault(undefined);
  });

  it('what was asked after is answered again', async () => {
    const endMs = performance.now() + 5000;
    while ((await check(site, BEARER)).code !== 0) assert.ok(performance.now() < endMs, 'in time');
  });
});

describe('Check with doubt handed to Envoy', () => {
  let site: Site;
  before(async () => {
    site = await startSite({ ext_authz: { on_doubt: 'envoy' } });
  });
  after(() => site.close());

  it('is an error of gRPC, and counted', async () => {
    site.setFault(gone);
    const { error } = await site.as('envoy').call(CHECK, encodeCheck(BEARER));
    assert.equal(error?.code, 14);
    assert.equal(await site.metric('handed_to_envoy'), 1);
    site.setFault(hung);
    const { error: late } = await site.as('envoy').call(CHECK, encodeCheck(BEARER));
    assert.equal(late?.code, 4);
    assert.equal(await site.metric('handed_to_envoy'), 2);
    site.setFault(undefined);
  });

  it('is not want of room, which a flood makes', async () => {
    const crowded = await startSite({ ext_authz: { on_doubt: 'envoy', budget: '5s' }, limits: { inflight: 1 } });
    try {
      let isHeld = false;
      let release: () => void = () => undefined;
      crowded.setFault((read) => async (...args) => {
        isHeld = true;
        await new Promise<void>((resolve) => (release = resolve));
        return read(...args);
      });
      const held = check(crowded, BEARER);
      while (!isHeld) await sleep(5);
      assert.deepEqual(pick(await check(crowded, BEARER)), DOUBT);
      crowded.setFault(undefined);
      release();
      await held.catch(() => undefined);
    } finally {
      await crowded.close();
    }
  });

  it('is doubt alone: refusals and faults of ours stay denials', async () => {
    assert.deepEqual(pick(await check(site, BEARER, 'orders')), REFUSED);
    site.setFault(broken);
    assert.deepEqual(pick(await check(site, BEARER)), DOUBT);
    site.setFault(undefined);
  });
});

describe('Check with the token in a cookie', () => {
  let site: Site;
  before(async () => {
    site = await startSite({ ext_authz: { credential: { cookie: 'session' }, strip_authorization: true } });
  });
  after(() => site.close());

  it('goes on without that cookie, and with the others', async () => {
    const rawHeaders = [
      ['cookie', `a=b; session=${GOOD}`],
      ['cookie', 'c=d'],
    ] as const;
    const { code, headers, removed } = await check(site, { rawHeaders });
    assert.equal(code, 0);
    const { cookie } = headers;
    assert.equal(cookie, 'a=b; c=d');
    assert.deepEqual(removed, []);
  });

  it('goes on without Cookie where no other is left', async () => {
    assert.deepEqual((await check(site, { headers: { cookie: `session=${GOOD}` } })).removed, ['cookie']);
  });
});
