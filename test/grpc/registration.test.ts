// RegisterTokens: every fault of an entry, all of them at once, and a bad entry among good ones.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { type Client, status as Code } from '@grpc/grpc-js';
import { type IntrospectdError, StoreUnavailable } from '../../src/core/errors.js';
import type { Register, RegisterItem } from '../../src/core/register.js';
import { type Token, tokenSha256 } from '../../src/core/token.js';
import { BatchIntrospectResponse } from '../../src/gen/introspectd/v1/introspection_service.js';
import { TokenClaims } from '../../src/gen/introspectd/v1/token_claims.js';
import { RegisterTokensResponse, TokenEntry } from '../../src/gen/introspectd/v1/token_registry_service.js';
import { ISSUER, REGISTERS_ALL, startTestServer, type TestClients, type TestServer } from '../support/start-server.js';
import { ask, toDetails } from './ask.js';
import {
  createEntry,
  deep,
  ENTRY_FAULTS,
  ENTRY_LIMITS,
  GOOD_CLAIMS,
  MAX_SECONDS,
  THUMBPRINT,
} from './registration-faults.js';

let items: readonly (RegisterItem | IntrospectdError)[] = [];
let failure: Error | undefined;
const register: Register = {
  ...REGISTERS_ALL,
  many: async (_caller, given) => {
    items = given;
    if (failure) throw failure;
    return given.map((item) => (item instanceof Error ? item : undefined));
  },
};

let server: TestServer;
let client: TestClients;
before(async () => {
  server = await startTestServer({ register, limits: ENTRY_LIMITS });
  client = await server.connectAs('orders');
});
after(() => server.close());
beforeEach(() => {
  items = [];
  failure = undefined;
});

async function registerAll(entries: readonly TokenEntry[]) {
  const answer = await ask(client.registry, 'registerTokens', { entries: [...entries] });
  const statuses = (answer.response?.results ?? []).map(({ status }) => ({
    code: Code[status?.code ?? Code.UNKNOWN],
    message: status?.message,
    ...toDetails(status?.details ?? []),
  }));
  return { ...answer, statuses };
}

describe('RegisterTokens', () => {
  for (const { name, entry: bad, reason = 'CLAIMS_INVALID', fields = [] } of ENTRY_FAULTS) {
    it(`${name}: ${reason} for that entry alone`, async () => {
      const { code, statuses } = await registerAll([createEntry(), bad, createEntry()]);
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
      const claims = TokenClaims.encode(GOOD_CLAIMS)
        .uint32((12 << 3) | 2)
        .bytes(cnf.finish());
      const bad = new BinaryWriter().uint32(10).string('abc').uint32(26).bytes(claims.finish());
      const request = new BinaryWriter().uint32(10).bytes(TokenEntry.encode(createEntry()).finish());
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
    const { statuses } = await registerAll([createEntry(claims, { issuedAtMs: MAX_SECONDS * 1000n + 999n })]);
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
    assert.equal(
      item.mask,
      [1, 5, 6, 7, 9, 10, 12, 13, 18].reduce((mask, field) => mask | (1 << field), 0),
    );
    assert.equal(item.sha256, tokenSha256('abc' as Token));
    const batch = new BinaryWriter()
      .uint32(10)
      .bytes(new BinaryWriter().uint32(10).bytes(new BinaryWriter().uint32(18).bytes(item.encoded).finish()).finish());
    assert.equal(BatchIntrospectResponse.decode(batch.finish()).results.length, 1, 'readable where it is deepest');
  });

  it('equal claims are equal bytes, whatever the order of their keys and fields', async () => {
    const extra = { b: { z: 1, a: [{ y: null, x: 'é' }] }, a: -0.5, 10: true, 9: [] };
    const turned = { 9: [], 10: true, a: -0.5, b: { a: [{ x: 'é', y: null }], z: 1 } };
    await registerAll([createEntry({ extra, act: extra }), createEntry({ act: turned, extra: turned })]);
    const [left, right] = items;
    assert.ok(left && right && !(left instanceof Error) && !(right instanceof Error));
    assert.deepEqual(left.encoded, right.encoded);
    assert.deepEqual(TokenClaims.decode(left.encoded).extra, extra);
  });

  it('a digest in place of the token', async () => {
    const sha256 = tokenSha256('abc' as Token);
    const credential = { $case: 'tokenSha256' as const, value: Buffer.from(sha256, 'hex') };
    await registerAll([createEntry({}, { credential })]);
    const [item] = items;
    assert.ok(item && !(item instanceof Error) && item.sha256 === sha256);
  });

  it('no entries: BATCH_EMPTY; more than allowed: BATCH_TOO_LARGE', async () => {
    assert.equal((await registerAll([])).details.reason, 'BATCH_EMPTY');
    assert.equal(
      (await registerAll([createEntry(), createEntry(), createEntry(), createEntry()])).details.reason,
      'BATCH_TOO_LARGE',
    );
    assert.deepEqual(items, []);
  });

  it('a store fault fails the call', async () => {
    failure = new StoreUnavailable('gone');
    const { code, details } = await registerAll([createEntry(), createEntry({ exp: undefined })]);
    assert.deepEqual([code, details.reason], ['UNAVAILABLE', 'STORE_UNAVAILABLE']);
  });

  it('a caller without the permission: PERMISSION_MISSING', async () => {
    const { registry } = await server.connectAs('nobody');
    const answer = await ask(registry, 'registerTokens', { entries: [createEntry()] });
    assert.deepEqual([answer.code, answer.details.reason], ['PERMISSION_DENIED', 'PERMISSION_MISSING']);
    assert.deepEqual(items, []);
  });

  it('never tells a value', async () => {
    const secret = 'very-secret';
    const { response } = await registerAll([
      createEntry(
        { exp: 1n << 62n, extra: { [secret]: Number.NaN } },
        { credential: { $case: 'token', value: secret } },
      ),
      createEntry({}, { credential: { $case: 'token', value: `${secret} ` } }),
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
