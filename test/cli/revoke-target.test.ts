// What the options of introspectd revoke name, and what cannot be meant.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CliError } from '../../src/cli/cli-error.js';
import { findSelectedTarget, type TargetOptions } from '../../src/cli/revoke-target.js';

const iss = 'https://login.example';
const issuedBefore = new Date('2027-01-01T00:00:00Z');

const GOOD: readonly (readonly [options: TargetOptions, selector: object, what?: string, name?: string])[] = [
  [{ iss, jti: 'j' }, { jti: 'j' }],
  [{ iss, grantId: 'g' }, { grant_id: 'g' }],
  [{ iss, sid: 's' }, { sid: 's' }],
  [{ iss, sub: 'alice' }, { sub: 'alice' }, `all tokens of the user "alice" of ${iss}, issued until now`, 'alice'],
  [
    { iss, clientId: 'web', issuedBefore },
    { client_id: 'web' },
    `all tokens of the client "web" of ${iss}, issued before 2027-01-01T00:00:00.000Z`,
    'web',
  ],
  [
    { iss, clientId: 'web', sub: 'alice' },
    { client_id: 'web', sub: 'alice' },
    `all tokens of the user "alice" at the client "web" of ${iss}, issued until now`,
    'alice',
  ],
  [{ iss, allTokens: true }, { all_tokens: true }, `all tokens of ${iss}, issued until now`, iss],
];

const BAD: readonly (readonly [options: TargetOptions, said: RegExp])[] = [
  [{ sub: 'alice' }, /^--sub: of which issuer\? Add --iss/],
  [{ allTokens: true }, /^--all-tokens: of which issuer\?/],
  [{ iss }, /^--iss alone revokes nothing\nAdd what to revoke: --jti, .*--all-tokens\.$/],
  [{ iss: '', jti: 'j' }, /^--iss is empty/],
  [{ iss: '' }, /^--iss alone/],
  [{ iss, sub: '' }, /^--sub is empty/],
  [{ iss, sub: 'alice', clientId: '' }, /^--client-id is empty/],
  [{ iss, sub: 'alice', file: 'token.txt' }, /^either a token \(--file\) or --sub, not both/],
  [{ iss, sub: 'alice', file: '-' }, /^either a token/],
  [{ iss, sub: 'alice', jti: 'j' }, /^--jti and --sub do not go together/],
  [{ iss, sub: 'alice', clientId: 'c', allTokens: true }, /^--client-id and --sub and --all-tokens do not go together/],
  [{ iss, jti: 'j', issuedBefore }, /^--issued-before does not go with --jti, which is revoked for good/],
  [{ issuedBefore }, /^--issued-before is for --sub, --client-id and --all-tokens/],
];

describe('the target of introspectd revoke', () => {
  it('is a token without such options', () => {
    assert.equal(findSelectedTarget({}), undefined);
    assert.equal(findSelectedTarget({ file: 'token.txt' }), undefined);
  });
  for (const [options, selector, what, name] of GOOD) {
    it(JSON.stringify(options), () => {
      const target = findSelectedTarget(options);
      assert.deepEqual(JSON.parse(JSON.stringify(target?.selector)), { iss, ...selector });
      assert.deepEqual(target?.broad, what === undefined ? undefined : { what, name });
    });
  }
  for (const [options, said] of BAD) {
    it(`no: ${JSON.stringify(options)}`, () => {
      assert.throws(
        () => findSelectedTarget(options),
        (error) => error instanceof CliError && error.exitCode === 2 && said.test(error.message),
      );
    });
  }
});
