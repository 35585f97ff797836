import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineFault } from '../../src/cli/claims-json.js';
import { parseRegistrationLine } from '../../src/cli/registration-line.js';

const SHA = 'ab'.repeat(32);
const line = (fields: object) => JSON.stringify({ token: 'canary', claims: {}, ...fields });
const withClaims = (claims: object) => line({ claims });

test('a line with everything', () => {
  const entry = parseRegistrationLine(
    line({
      issued_at_ms: 1767225600123,
      claims: {
        scope: 'a b',
        client_id: 'web',
        username: 'al',
        token_type: 'Bearer',
        exp: 253402300799,
        iat: 0,
        nbf: 1,
        sub: 'alice',
        aud: ['x', 'y'],
        iss: 'https://i',
        jti: 'j',
        cnf: { 'x5t#S256': 'X', jkt: 'K' },
        act: { sub: 'bob' },
        authorization_details: [{ type: 't' }],
        sid: 's',
        acr: '1',
        auth_time: 2,
        token_use: 'refresh_token',
        grant_id: 'g',
        extra: { tenant: { id: 7 } },
      },
    }),
  );
  assert.deepEqual(entry, {
    credential: { $case: 'token', value: 'canary' },
    issuedAtMs: 1767225600123n,
    claims: {
      scope: 'a b',
      clientId: 'web',
      username: 'al',
      tokenType: 'Bearer',
      exp: 253402300799n,
      iat: 0n,
      nbf: 1n,
      sub: 'alice',
      aud: ['x', 'y'],
      iss: 'https://i',
      jti: 'j',
      cnf: { x5tS256: 'X', jkt: 'K' },
      act: { sub: 'bob' },
      authorizationDetails: [{ type: 't' }],
      sid: 's',
      acr: '1',
      authTime: 2n,
      tokenUse: 2,
      grantId: 'g',
      extra: { tenant: { id: 7 } },
    },
  });
});

test('an audience may stand alone, a token may be its hash', () => {
  const entry = parseRegistrationLine(
    JSON.stringify({ token_sha256: SHA, claims: { aud: 'x', token_use: 'access_token' } }),
  );
  assert.deepEqual(entry.credential, { $case: 'tokenSha256', value: Buffer.from(SHA, 'hex') });
  assert.deepEqual(entry.claims?.aud, ['x']);
  assert.equal(entry.claims?.tokenUse, 1);
  assert.equal(entry.issuedAtMs, undefined);
});

const BAD: readonly (readonly [text: string, said: RegExp])[] = [
  ['canary', /not JSON/],
  ['{"token":"canary"', /not JSON/],
  ['["canary"]', /a line must be a JSON object/],
  ['null', /a line must be a JSON object/],
  [JSON.stringify({ claims: {} }), /exactly one of token and token_sha256/],
  [line({ token_sha256: SHA }), /exactly one of token and token_sha256/],
  [line({ token: 1 }), /token must be text/],
  [JSON.stringify({ token_sha256: SHA.toUpperCase(), claims: {} }), /64 lower-case hex/],
  [JSON.stringify({ token_sha256: SHA.slice(1), claims: {} }), /64 lower-case hex/],
  [line({ claims: undefined }), /claims must be a JSON object/],
  [line({ claims: [] }), /claims must be a JSON object/],
  [line({ canary: 1 }), /and nothing else/],
  [line({ issued_at_ms: '1' }), /issued_at_ms must be a whole number/],
  [withClaims({ canary: 1 }), /into "extra"/],
  [withClaims({ toString: 1 }), /into "extra"/],
  [withClaims({ exp: '1' }), /exp must be a whole number/],
  [withClaims({ exp: 1.5 }), /exp must be a whole number/],
  [withClaims({ iat: 2 ** 53 }), /iat must be a whole number/],
  [withClaims({ sub: null }), /sub must be text/],
  [withClaims({ scope: ['a'] }), /scope must be text/],
  [withClaims({ aud: [1] }), /aud must be text/],
  [withClaims({ cnf: { jwk: {} } }), /cnf may hold/],
  [withClaims({ cnf: 'x' }), /cnf must be a JSON object/],
  [withClaims({ act: [] }), /act must be a JSON object/],
  [withClaims({ authorization_details: {} }), /authorization_details must be a list/],
  [withClaims({ authorization_details: ['x'] }), /must be a JSON object/],
  [withClaims({ token_use: 'id_token' }), /token_use must be/],
  [withClaims({ token_use: 'toString' }), /token_use must be/],
];

test('a bad line says what is wrong, and nothing of what it holds', async (t) => {
  for (const [text, said] of BAD) {
    await t.test(text, () => {
      assert.throws(
        () => parseRegistrationLine(text),
        (error: unknown) => {
          assert.ok(error instanceof LineFault);
          assert.match(error.message, said);
          assert.doesNotMatch(error.message, /canary/);
          return true;
        },
      );
    });
  }
});
