// The hand-written encoder against the generated one: the same bytes for every answer.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CLAIM_FIELDS, CLAIM_NAMES, type ClaimName, toMask } from '../../src/core/claims.js';
import { IntrospectdError, StoreUnavailable } from '../../src/core/errors.js';
import type { Verdict } from '../../src/core/introspect.js';
import type { InactiveReason } from '../../src/core/judge.js';
import type { Caller, Permission } from '../../src/core/policy.js';
import {
  BatchIntrospectResponse,
  IntrospectResponse,
  InactiveReason as WireReason,
} from '../../src/gen/introspectd/v1/introspection_service.js';
import { TokenClaims } from '../../src/gen/introspectd/v1/token_claims.js';
import { encodeClaims } from '../../src/grpc/claims-codec.js';
import { filterClaims } from '../../src/grpc/claims-filter.js';
import { createAnswerEncoder } from '../../src/grpc/response-encoding.js';
import { toRpcStatus } from '../../src/grpc/status.js';
import { RING } from '../store/harness.js';

const REASONS: readonly InactiveReason[] = [
  'NOT_FOUND',
  'REVOKED',
  'EXPIRED',
  'NOT_YET_VALID',
  'AUDIENCE_MISMATCH',
  'TOKEN_USE_MISMATCH',
];

const encoder = createAnswerEncoder({ sealTags: RING.sealTags, cacheAgeMs: 60_000 });
const UNTAGGED = { iss: 'i', recordTags: new Uint8Array(0), lifetimeMs: 1_000_000 };

function caller(claimsMask: number, permissions: readonly Permission[] = []): Caller {
  const none = new Set<never>();
  const rate = { perSecond: 1, burst: 1 };
  return {
    name: 'c',
    permissions: new Set(permissions),
    revoke: none,
    issuers: none,
    audiences: none,
    anyAudience: false,
    tokenUse: none,
    claimsMask,
    rates: { tokens: undefined, revoke: rate, unknownRevoke: rate, check: undefined },
    check: { profile: undefined, anonymous: false },
    conditions: undefined,
  };
}

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const text = maybe(fc.string({ unit: 'grapheme', maxLength: 300 }));
const seconds = maybe(fc.bigInt(0n, 253402300799n));
const struct = fc.dictionary(
  fc.string({ maxLength: 5 }).filter((key) => key !== '__proto__'),
  fc.oneof(fc.string(), fc.boolean(), fc.constant(null), fc.double({ noNaN: true, noDefaultInfinity: true })),
);
const claims: fc.Arbitrary<TokenClaims> = fc.record({
  scope: text,
  clientId: text,
  username: text,
  tokenType: text,
  exp: seconds,
  iat: seconds,
  nbf: seconds,
  sub: text,
  aud: fc.array(fc.string({ maxLength: 20 }), { maxLength: 4 }),
  iss: text,
  jti: text,
  cnf: maybe(fc.record({ x5tS256: text, jkt: text })),
  act: maybe(struct),
  authorizationDetails: fc.array(struct, { maxLength: 3 }),
  sid: text,
  acr: text,
  authTime: seconds,
  tokenUse: maybe(fc.constantFrom(1 as const, 2 as const)),
  grantId: text,
  extra: maybe(struct),
});
const visibleNames = fc.subarray([...CLAIM_NAMES]);

/** What a reader of the whole message would do. */
function dropByDecoding(encoded: Uint8Array, visible: readonly ClaimName[]): TokenClaims {
  const kept = new Map(CLAIM_NAMES.map((name) => [toProperty(name), visible.includes(name)]));
  const nothing = TokenClaims.decode(new Uint8Array(0));
  const entries = Object.entries(TokenClaims.decode(encoded)).map(([property, value]) => [
    property,
    kept.get(property) ? value : nothing[property as keyof TokenClaims],
  ]);
  return Object.fromEntries(entries) as TokenClaims;
}

function toProperty(name: ClaimName): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

function toVerdict(message: TokenClaims): Extract<Verdict, { active: true }> {
  const { encoded, mask } = encodeClaims(message);
  return { active: true, claims: encoded, mask, ...UNTAGGED };
}

const response = (value: Partial<IntrospectResponse>): IntrospectResponse => ({
  ...IntrospectResponse.decode(new Uint8Array(0)),
  ...value,
});

describe('answers', () => {
  it('an active one is what the generated encoder makes of the visible claims', () => {
    fc.assert(
      fc.property(claims, visibleNames, (message, visible) => {
        const verdict = toVerdict(message);
        const expected = response({ active: true, claims: dropByDecoding(verdict.claims, visible) });
        const bytes = encoder.one(verdict, caller(toMask(visible)));
        assert.deepEqual(bytes, Buffer.from(IntrospectResponse.encode(expected).finish()));
      }),
      { numRuns: 300 },
    );
  });

  it('the mask says which claims are there', () => {
    fc.assert(
      fc.property(claims, (message) => {
        const { encoded, mask } = encodeClaims(message);
        const present = CLAIM_NAMES.filter((name) => filterClaims(encoded, 1 << CLAIM_FIELDS[name]).length > 0);
        assert.equal(mask, toMask(present));
      }),
      { numRuns: 200 },
    );
  });

  it('all visible: the stored bytes as they are', () => {
    const verdict = { active: true as const, claims: Buffer.from('not even claims'), mask: 0b10, ...UNTAGGED };
    assert.ok(encoder.one(verdict, caller(0b10)).includes('not even claims'));
  });

  it('a batch is what the generated encoder makes of the answers', () => {
    const outcome = fc.oneof(
      claims.map(toVerdict),
      fc.constantFrom(...REASONS).map((reason): Verdict => ({ active: false, reason })),
      fc.constant(new IntrospectdError('TOKEN_MALFORMED', 'fixed')),
    );
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 6 }), visibleNames, fc.boolean(), (outcomes, visible, explains) => {
        const asker = caller(toMask(visible), explains ? ['explain'] : []);
        const results = outcomes.map((one) =>
          one instanceof IntrospectdError
            ? { outcome: { $case: 'error' as const, value: toRpcStatus(one) } }
            : {
                outcome: {
                  $case: 'response' as const,
                  value: IntrospectResponse.decode(encoder.one(one, asker)),
                },
              },
        );
        const expected = Buffer.from(BatchIntrospectResponse.encode({ results }).finish());
        assert.deepEqual(encoder.many(outcomes, asker), expected);
      }),
      { numRuns: 150 },
    );
  });

  for (const length of [0, 1, 123, 127, 128, 16_380, 16_384, 70_000]) {
    it(`claims of about ${length} bytes: lengths are right`, () => {
      const message = { ...TokenClaims.decode(new Uint8Array(0)), scope: 'x'.repeat(length) };
      const verdict = toVerdict(message);
      const { results } = BatchIntrospectResponse.decode(
        encoder.many([verdict, { active: false, reason: 'REVOKED' }, verdict], caller(-1)),
      );
      assert.equal(results.length, 3);
      assert.deepEqual(
        results.map(({ outcome: one }) => (one?.$case === 'response' ? one.value.claims?.scope?.length : 'error')),
        [length, undefined, length],
      );
    });
  }

  it('an inactive one is the same bytes whatever the reason, and says why only with "explain"', () => {
    for (const reason of REASONS) {
      assert.deepEqual([...encoder.one({ active: false, reason }, caller(-1))], [0x28, 0xe8, 0x07]);
      const explained = IntrospectResponse.decode(encoder.one({ active: false, reason }, caller(-1, ['explain'])));
      assert.deepEqual(explained, response({ inactiveReason: WireReason[reason], cacheMs: 1000n }));
    }
  });

  it('a field beyond the mask is not shown, though its bit would come round to another', () => {
    const verdict = {
      active: true as const,
      claims: Buffer.from([0x8a, 0x02, 0x01, 0x61, 0x0a, 0x01, 0x62]),
      mask: -1,
      ...UNTAGGED,
    };
    const bytes = encoder.one(verdict, caller(toMask(['scope'])));
    assert.deepEqual([...bytes], [0x08, 1, 0x12, 3, 0x0a, 0x01, 0x62]);
  });

  it('tags and how long to keep it: of active answers alone, where there are tags', () => {
    const message = { ...TokenClaims.decode(new Uint8Array(0)), sub: 'alice' };
    const tags = Buffer.concat([RING.tag('jti', 'i', 'a'), RING.tag('issuer', 'i', '')]);
    const verdict = { ...toVerdict(message), tags, lifetimeMs: 30_000 };
    const watcher = caller(-1, ['watch']);
    const expected = response({ active: true, claims: message, tags: RING.sealTags('c', tags), cacheMs: 30_000n });
    assert.deepEqual(encoder.one(verdict, watcher), Buffer.from(IntrospectResponse.encode(expected).finish()));
    const plain = response({ active: true, claims: message });
    assert.deepEqual(encoder.one(toVerdict(message), watcher), Buffer.from(IntrospectResponse.encode(plain).finish()));
    const outcomes: readonly (Verdict | IntrospectdError)[] = [
      verdict,
      new IntrospectdError('TOKEN_MALFORMED', 'fixed'),
      { active: false, reason: 'REVOKED' },
      { ...verdict, tags: tags.subarray(8), lifetimeMs: 1_000_000 },
    ];
    const { results } = BatchIntrospectResponse.decode(encoder.many(outcomes, watcher));
    const told = results.map(({ outcome }) => (outcome?.$case === 'response' ? outcome.value : undefined));
    assert.deepEqual(told, [
      expected,
      undefined,
      response({ cacheMs: 1000n }),
      response({ active: true, claims: message, tags: RING.sealTags('c', tags.subarray(8)), cacheMs: 60_000n }),
    ]);
  });

  it('how long to keep it: never past exp, never longer than cache_age, and not at all when that is 0', () => {
    const verdict = { ...toVerdict(TokenClaims.decode(new Uint8Array(0))), tags: RING.tag('jti', 'i', 'a') };
    const cacheMs = (cacheAgeMs: number, one: Verdict) => {
      const { one: encode } = createAnswerEncoder({ sealTags: RING.sealTags, cacheAgeMs });
      return Number(IntrospectResponse.decode(encode(one, caller(-1, ['watch']))).cacheMs);
    };
    const rows = [
      [60_000, 1, 1],
      [60_000, 0.5, 0],
      [60_000, 59_999, 59_999],
      [60_000, 3_600_000, 60_000],
      [0, 3_600_000, 0],
    ] as const;
    for (const [cacheAgeMs, lifetimeMs, expected] of rows) {
      assert.equal(cacheMs(cacheAgeMs, { ...verdict, lifetimeMs }), expected);
    }
    for (const reason of REASONS) {
      const one = { active: false as const, reason };
      assert.deepEqual(
        [60_000, 400, 0].map((age) => cacheMs(age, one)),
        [1000, 400, 0],
      );
    }
  });

  it('stored claims that cannot be read: an error, never an answer', () => {
    const verdict = { active: true as const, claims: Buffer.from([0x0a, 0x7f, 0x61]), mask: 2, ...UNTAGGED };
    assert.throws(() => encoder.one(verdict, caller(0)), StoreUnavailable);
  });
});
