// RegisterTokens: every fault of an entry, all of them at once, and a bad entry among good ones.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { Client, status as Code } from '@grpc/grpc-js';
import { IntrospectdError, StoreUnavailable } from '../../src/core/errors.js';
import type { Register, RegisterItem } from '../../src/core/register.js';
import { type Token, tokenSha256 } from '../../src/core/token.js';
import { BatchIntrospectResponse } from '../../src/gen/introspectd/v1/introspection_service.js';
import { TokenClaims, TokenUse } from '../../src/gen/introspectd/v1/token_claims.js';
import { RegisterTokensResponse, TokenEntry } from '../../src/gen/introspectd/v1/token_registry_service.js';
import { AUDIENCE, ISSUER, startTestServer, type TestClients, type TestServer } from '../support/start-server.js';
import { ask, toDetails } from './ask.js';

const THUMBPRINT = 'A'.repeat(43);
const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
const MAX_SECONDS = 253402300799n;

let items: readonly (RegisterItem | IntrospectdError)[] = [];
let failure: Error | undefined;
const register: Register = {
  many: async (_caller, given) => {
    items = given;
    if (failure) throw failure;
    return given.map((item) => (item instanceof Error ? item : undefined));
  },
};

const good: TokenClaims = {
  ...TokenClaims.decode(new Uint8Array(0)),
  iss: ISSUER,
  aud: [AUDIENCE],
  exp: 2_000_000_000n,
  iat: 1_000_000_000n,
  tokenUse: TokenUse.ACCESS_TOKEN,
};

let server: TestServer;
let client: TestClients;
before(async () => {
  server = await startTestServer({ register, limits: { registerItems: 3, tokenBytes: 16, claimsBytes: 1000 } });
  client = await server.connectAs('orders');
});
after(() => server.close());
beforeEach(() => {
  items = [];
  failure = undefined;
});

function entry(claims: Partial<TokenClaims> = {}, rest: Partial<TokenEntry> = {}): TokenEntry {
  const credential = { $case: 'token' as const, value: 'abc' };
  return { credential, claims: { ...good, ...claims }, issuedAtMs: undefined, ...rest };
}

async function registerAll(entries: readonly TokenEntry[]) {
  const answer = await ask(client.registry, 'registerTokens', { entries: [...entries] });
  const statuses = (answer.response?.results ?? []).map(({ status }) => ({
    code: Code[status?.code ?? Code.UNKNOWN],
    message: status?.message,
    ...toDetails(status?.details ?? []),
  }));
  return { ...answer, statuses };
}

const deep = (levels: number): Record<string, unknown> => (levels === 1 ? {} : { in: deep(levels - 1) });

interface Fault {
  readonly name: string;
  readonly entry: TokenEntry;
  readonly reason?: string;
  readonly fields?: readonly string[];
}

const FAULTS: readonly Fault[] = [
  {
    name: 'nothing at all',
    entry: { credential: { $case: 'token', value: 'abc' }, claims: undefined, issuedAtMs: undefined },
    fields: ['claims.exp', 'claims.iat', 'claims.iss', 'claims.token_use'],
  },
  { name: 'no exp', entry: entry({ exp: undefined }), fields: ['claims.exp'] },
  { name: 'no iat', entry: entry({ iat: undefined }), fields: ['claims.iat'] },
  { name: 'no iss', entry: entry({ iss: undefined }), fields: ['claims.iss'] },
  { name: 'no token_use', entry: entry({ tokenUse: undefined }), fields: ['claims.token_use'] },
  { name: 'token_use 0', entry: entry({ tokenUse: 0 }), fields: ['claims.token_use'] },
  { name: 'token_use 3', entry: entry({ tokenUse: 3 as TokenUse }), fields: ['claims.token_use'] },
  {
    name: 'negative times',
    entry: entry({ exp: -1n, iat: -1n, nbf: -1n, authTime: -1n }, { issuedAtMs: -1n }),
    fields: ['claims.exp', 'claims.iat', 'claims.nbf', 'claims.auth_time', 'issued_at_ms'],
  },
  {
    name: 'times after the year 9999',
    entry: entry(
      { exp: MAX_SECONDS + 1n, iat: MAX_SECONDS + 1n, nbf: MAX_SECONDS + 1n, authTime: MAX_SECONDS + 1n },
      { issuedAtMs: MAX_SECONDS * 1000n + 1000n },
    ),
    fields: ['claims.exp', 'claims.iat', 'claims.nbf', 'claims.auth_time', 'issued_at_ms'],
  },
  {
    name: 'the greatest int64',
    entry: entry({ exp: INT64_MAX, iat: INT64_MAX, nbf: INT64_MAX, authTime: INT64_MAX }, { issuedAtMs: INT64_MAX }),
    fields: ['claims.exp', 'claims.iat', 'claims.nbf', 'claims.auth_time', 'issued_at_ms'],
  },
  {
    name: 'the least int64',
    entry: entry({ exp: INT64_MIN, iat: INT64_MIN, nbf: INT64_MIN, authTime: INT64_MIN }, { issuedAtMs: INT64_MIN }),
    fields: ['claims.exp', 'claims.iat', 'claims.nbf', 'claims.auth_time', 'issued_at_ms'],
  },
  {
    name: 'empty identifiers',
    entry: entry({ iss: '', jti: '', sid: '', sub: '', grantId: '', clientId: '', aud: ['a', ''] }),
    fields: [
      'claims.iss',
      'claims.jti',
      'claims.sid',
      'claims.sub',
      'claims.grant_id',
      'claims.client_id',
      'claims.aud[1]',
    ],
  },
  {
    name: 'too many audiences',
    entry: entry({ aud: Array.from({ length: 101 }, (_, index) => `${index}`) }),
    fields: ['claims.aud'],
  },
  { name: 'an empty cnf', entry: entry({ cnf: {} }), fields: ['claims.cnf'] },
  {
    name: 'thumbprints of a wrong form',
    entry: entry({ cnf: { x5tS256: `${THUMBPRINT}A`, jkt: 'A'.repeat(42).concat('B') } }),
    fields: ['claims.cnf.x5t_s256', 'claims.cnf.jkt'],
  },
  { name: 'an empty thumbprint', entry: entry({ cnf: { jkt: '' } }), fields: ['claims.cnf.jkt'] },
  {
    name: 'reserved names in extra',
    entry: entry({ extra: { active: true, exp: 1, tenant: 'x', sub: null } }),
    fields: ['claims.extra.active', 'claims.extra.exp', 'claims.extra.sub'],
  },
  { name: 'NaN', entry: entry({ act: { a: [1, { b: Number.NaN }] } }), fields: ['claims.act'] },
  { name: 'infinity', entry: entry({ extra: { a: Number.NEGATIVE_INFINITY } }), fields: ['claims.extra'] },
  {
    name: 'a list element of no kind',
    entry: entry({ authorizationDetails: [{ a: 1 }, { b: [undefined] }] }),
    fields: ['claims.authorization_details[1]'],
  },
  { name: 'too many levels', entry: entry({ act: deep(21) }), fields: ['claims.act'] },
  { name: 'claims over the limit', entry: entry({ scope: 'x'.repeat(1000) }), reason: 'CLAIMS_TOO_LARGE' },
  { name: 'no credential', entry: entry({}, { credential: undefined }), reason: 'TOKEN_REQUIRED' },
  {
    name: 'an empty token',
    entry: entry({}, { credential: { $case: 'token', value: '' } }),
    reason: 'TOKEN_REQUIRED',
  },
  {
    name: 'a malformed token',
    entry: entry({}, { credential: { $case: 'token', value: 'a b' } }),
    reason: 'TOKEN_MALFORMED',
  },
  {
    name: 'a token that is too long',
    entry: entry({}, { credential: { $case: 'token', value: 'x'.repeat(17) } }),
    reason: 'TOKEN_TOO_LONG',
  },
  {
    name: 'a digest of a wrong length',
    entry: entry({}, { credential: { $case: 'tokenSha256', value: Buffer.alloc(31) } }),
    reason: 'TOKEN_MALFORMED',
  },
];

describe('RegisterTokens', () => {
  for (const { name, entry: bad, reason = 'CLAIMS_INVALID', fields = [] } of FAULTS) {
    it(`${name}: ${reason} for that entry alone`, async () => {
      const { code, statuses } = await registerAll([entry(), bad, entry()]);
      assert.equal(code, 'OK');
      assert.deepEqual(
        statuses.map((status) => status.code),
        ['OK', 'INVALID_ARGUMENT', 'OK'],
      );
      assert.equal(statuses[1]?.reason, reason);
      assert.deepEqual(
        statuses[1]?.fields,
        fields.map((field) => `entries[1].${field}`),
      );
      assert.deepEqual(
        items.map((item) => item instanceof Error),
        [false, true, false],
      );
    });
  }

  for (const [name, members] of [
    ['beside a known one', [1, 7]],
    ['alone', [7]],
  ] as const) {
    it(`a cnf member that is not typed, ${name}: CLAIMS_INVALID`, async () => {
      const cnf = new BinaryWriter();
      for (const member of members) cnf.uint32((member << 3) | 2).string(THUMBPRINT);
      const claims = TokenClaims.encode(good)
        .uint32((12 << 3) | 2)
        .bytes(cnf.finish());
      const bad = new BinaryWriter().uint32(10).string('abc').uint32(26).bytes(claims.finish());
      const request = new BinaryWriter().uint32(10).bytes(TokenEntry.encode(entry()).finish());
      request.uint32(10).bytes(bad.finish());
      const { results } = await sendRegister(client.registry, Buffer.from(request.finish()));
      assert.equal(results[0]?.status?.code, Code.OK);
      assert.equal(results[1]?.status?.code, Code.INVALID_ARGUMENT);
      assert.ok(toDetails(results[1]?.status?.details ?? []).fields.includes('entries[1].claims.cnf'));
    });
  }

  it('limits: everything at its bound is registered', async () => {
    const claims = {
      exp: MAX_SECONDS,
      iat: 0n,
      nbf: MAX_SECONDS,
      aud: Array.from({ length: 100 }, () => 'a'),
      cnf: { x5tS256: THUMBPRINT, jkt: THUMBPRINT },
      scope: '',
      act: deep(20),
    };
    const { statuses } = await registerAll([entry(claims, { issuedAtMs: MAX_SECONDS * 1000n + 999n })]);
    assert.deepEqual(
      statuses.map(({ code }) => code),
      ['OK'],
    );
    const [item] = items;
    assert.ok(item !== undefined && !(item instanceof Error));
    assert.equal(item.issuedAtMs, 253402300799999);
    assert.deepEqual(item.claims, {
      iss: ISSUER,
      aud: claims.aud,
      expSeconds: 253402300799,
      iatSeconds: 0,
      nbfSeconds: 253402300799,
      tokenUse: 'access_token',
      jti: undefined,
      grantId: undefined,
      sid: undefined,
      clientId: undefined,
      sub: undefined,
    });
    // scope, exp, iat, nbf, aud, iss, cnf, act, token_use.
    assert.equal(item.mask, [1, 5, 6, 7, 9, 10, 12, 13, 18].reduce((mask, field) => mask | (1 << field), 0));
    assert.equal(item.sha256, tokenSha256('abc' as Token));
    const batch = new BinaryWriter().uint32(10).bytes(
      new BinaryWriter().uint32(10).bytes(new BinaryWriter().uint32(18).bytes(item.encoded).finish()).finish(),
    );
    assert.equal(BatchIntrospectResponse.decode(batch.finish()).results.length, 1, 'readable where it is deepest');
  });

  it('equal claims are equal bytes, whatever the order of their keys and fields', async () => {
    const extra = { b: { z: 1, a: [{ y: null, x: 'é' }] }, a: -0.5, 10: true, 9: [] };
    const turned = { 9: [], 10: true, a: -0.5, b: { a: [{ x: 'é', y: null }], z: 1 } };
    await registerAll([entry({ extra, act: extra }), entry({ act: turned, extra: turned })]);
    const [left, right] = items;
    assert.ok(left && right && !(left instanceof Error) && !(right instanceof Error));
    assert.deepEqual(left.encoded, right.encoded);
    assert.deepEqual(TokenClaims.decode(left.encoded).extra, extra);
  });

  it('a digest in place of the token', async () => {
    const sha256 = tokenSha256('abc' as Token);
    const credential = { $case: 'tokenSha256' as const, value: Buffer.from(sha256, 'hex') };
    await registerAll([entry({}, { credential })]);
    const [item] = items;
    assert.ok(item && !(item instanceof Error) && item.sha256 === sha256);
  });

  it('no entries: BATCH_EMPTY; more than allowed: BATCH_TOO_LARGE', async () => {
    assert.equal((await registerAll([])).details.reason, 'BATCH_EMPTY');
    assert.equal((await registerAll([entry(), entry(), entry(), entry()])).details.reason, 'BATCH_TOO_LARGE');
    assert.deepEqual(items, []);
  });

  it('a store fault fails the call', async () => {
    failure = new StoreUnavailable('gone');
    const { code, details } = await registerAll([entry(), entry({ exp: undefined })]);
    assert.deepEqual([code, details.reason], ['UNAVAILABLE', 'STORE_UNAVAILABLE']);
  });

  it('a caller without the permission: PERMISSION_MISSING', async () => {
    const { registry } = await server.connectAs('nobody');
    const answer = await ask(registry, 'registerTokens', { entries: [entry()] });
    assert.deepEqual([answer.code, answer.details.reason], ['PERMISSION_DENIED', 'PERMISSION_MISSING']);
    assert.deepEqual(items, []);
  });

  it('never tells a value', async () => {
    const secret = 'very-secret';
    const { response } = await registerAll([
      entry({ exp: 1n << 62n, extra: { [secret]: Number.NaN } }, { credential: { $case: 'token', value: secret } }),
      entry({}, { credential: { $case: 'token', value: `${secret} ` } }),
    ]);
    assert.ok(response);
    assert.ok(!Buffer.from(RegisterTokensResponse.encode(response).finish()).includes(secret));
  });
});

function sendRegister(registry: Client, bytes: Buffer): Promise<RegisterTokensResponse> {
  return new Promise((resolve, reject) => {
    registry.makeUnaryRequest(
      '/introspectd.v1.TokenRegistryService/RegisterTokens',
      (value: Buffer) => value,
      (value: Buffer) => RegisterTokensResponse.decode(value),
      bytes,
      { deadline: Date.now() + 10_000 },
      (error, response) => (response === undefined ? reject(error) : resolve(response)),
    );
  });
}
