// Every reason has one code, one ErrorInfo, and RetryInfo exactly where a retry is asked for.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { IntrospectdError, RateLimited, type Reason, StoreUnavailable } from '../../src/core/errors.js';
import { ErrorReason } from '../../src/gen/introspectd/v1/error_reason.js';
import { toCodeName, toRpcStatus, toServiceError, UnknownServiceError } from '../../src/grpc/status.js';
import { readDetails, toDetails } from './ask.js';

const CODES: Readonly<Record<Reason, string>> = {
  CALLER_UNIDENTIFIED: 'UNAUTHENTICATED',
  CALLER_UNKNOWN: 'PERMISSION_DENIED',
  CONDITION_NOT_MET: 'PERMISSION_DENIED',
  PERMISSION_MISSING: 'PERMISSION_DENIED',
  ISSUER_NOT_ALLOWED: 'PERMISSION_DENIED',
  TOKEN_REQUIRED: 'INVALID_ARGUMENT',
  TOKEN_TOO_LONG: 'INVALID_ARGUMENT',
  TOKEN_MALFORMED: 'INVALID_ARGUMENT',
  BATCH_EMPTY: 'INVALID_ARGUMENT',
  BATCH_TOO_LARGE: 'INVALID_ARGUMENT',
  REQUEST_INVALID: 'INVALID_ARGUMENT',
  CLAIMS_INVALID: 'INVALID_ARGUMENT',
  CLAIMS_TOO_LARGE: 'INVALID_ARGUMENT',
  TTL_TOO_LONG: 'INVALID_ARGUMENT',
  TOKEN_EXISTS: 'ALREADY_EXISTS',
  TOKEN_REVOKED: 'FAILED_PRECONDITION',
  ISSUED_BEFORE_IN_FUTURE: 'INVALID_ARGUMENT',
  STORE_UNAVAILABLE: 'UNAVAILABLE',
  OVERLOADED: 'RESOURCE_EXHAUSTED',
  RATE_LIMITED: 'RESOURCE_EXHAUSTED',
  UNKNOWN_TOKENS_EXHAUSTED: 'RESOURCE_EXHAUSTED',
  DRAINING: 'UNAVAILABLE',
  NOT_SUPPORTED: 'UNIMPLEMENTED',
  DEADLINE: 'DEADLINE_EXCEEDED',
  CANCELLED: 'CANCELLED',
  INTERNAL: 'INTERNAL',
};

const SECRET = 'secret-token-abc';

describe('status', () => {
  for (const [reason, code] of Object.entries(CODES) as [Reason, string][]) {
    it(`${reason}: ${code}`, () => {
      const error = new IntrospectdError(reason, 'fixed text', [{ field: 'a.b', description: 'is wrong' }]);
      const status = toServiceError(error, 'id-1');
      const details = readDetails(status.metadata);
      assert.equal(toCodeName(error), code);
      assert.deepEqual([details.reason, details.domain, details.fields], [reason, 'introspectd', ['a.b']]);
      assert.equal(details.retryMs !== undefined, code === 'UNAVAILABLE' || code === 'RESOURCE_EXHAUSTED');
      assert.deepEqual(status.metadata.get('x-request-id'), ['id-1']);
      assert.equal(status.details, 'fixed text');
      assert.ok(reason in ErrorReason, 'the reason is published');
    });
  }

  it('a rate that is used up says when to come back', () => {
    const status = toServiceError(new RateLimited(12_345), 'id-1');
    assert.equal(readDetails(status.metadata).reason, 'RATE_LIMITED');
    assert.equal(readDetails(status.metadata).retryMs, 12_345);
  });

  const strange: readonly unknown[] = [
    new Error(SECRET),
    Object.assign(new Error(SECRET), { code: 5, details: SECRET, metadata: SECRET }),
    SECRET,
    { message: SECRET, reason: 'TOKEN_REQUIRED' },
    null,
    42,
  ];
  for (const [index, thrown] of strange.entries()) {
    it(`thing ${index} that nobody foresaw: INTERNAL, and nothing of its text`, () => {
      const status = toServiceError(thrown, 'id-1');
      assert.equal(toCodeName(thrown), 'INTERNAL');
      assert.equal(readDetails(status.metadata).reason, 'INTERNAL');
      assert.ok(!JSON.stringify([status, status.metadata.toHttp2Headers()]).includes(SECRET));
    });
  }

  it('a store fault: UNAVAILABLE without its detail', () => {
    const status = toRpcStatus(new StoreUnavailable(SECRET, { cause: new Error(SECRET) }));
    assert.equal(toDetails(status.details).reason, 'STORE_UNAVAILABLE');
    assert.ok(!Buffer.from(JSON.stringify(status)).includes(SECRET));
    assert.ok(status.details.every(({ value }) => !value.includes(SECRET)));
  });

  it('an unknown health service: NOT_FOUND', () => {
    assert.equal(toCodeName(new UnknownServiceError()), 'NOT_FOUND');
    assert.equal(toRpcStatus(new UnknownServiceError()).code, 5);
  });
});
