// What can go wrong, as a closed list. src/grpc/status.ts turns each into one gRPC status.

/** Reasons published in proto/introspectd/v1/error_reason.proto, without the prefix. */
export type Reason =
  | 'CALLER_UNIDENTIFIED'
  | 'CALLER_UNKNOWN'
  | 'CONDITION_NOT_MET'
  | 'PERMISSION_MISSING'
  | 'ISSUER_NOT_ALLOWED'
  | 'TOKEN_REQUIRED'
  | 'TOKEN_TOO_LONG'
  | 'TOKEN_MALFORMED'
  | 'BATCH_EMPTY'
  | 'BATCH_TOO_LARGE'
  | 'REQUEST_INVALID'
  | 'CLAIMS_INVALID'
  | 'CLAIMS_TOO_LARGE'
  | 'TTL_TOO_LONG'
  | 'TOKEN_EXISTS'
  | 'TOKEN_REVOKED'
  | 'ISSUED_BEFORE_IN_FUTURE'
  | 'STORE_UNAVAILABLE'
  | 'OVERLOADED'
  | 'RATE_LIMITED'
  | 'UNKNOWN_TOKENS_EXHAUSTED'
  | 'DRAINING'
  | 'NOT_SUPPORTED'
  | 'DEADLINE'
  | 'CANCELLED'
  | 'INTERNAL';

/** A field at fault. `field` is a path in the request; `description` never quotes the value. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

/** An error whose reason and message may be told to the caller: the message is fixed text, never built from input. */
export class IntrospectdError extends Error {
  readonly reason: Reason;
  readonly violations: readonly FieldViolation[];

  constructor(reason: Reason, message: string, violations: readonly FieldViolation[] = []) {
    super(message);
    this.name = 'IntrospectdError';
    this.reason = reason;
    this.violations = violations;
  }
}

/** Nothing is wrong with the request, and it is worth making it again after so many ms. */
export class TryLater extends IntrospectdError {
  readonly retryDelayMs: number;

  constructor(reason: Reason, message: string, retryDelayMs: number) {
    super(reason, message);
    this.name = 'TryLater';
    this.retryDelayMs = retryDelayMs;
  }
}

/** The caller has used up a rate of its policy. */
export class RateLimited extends TryLater {
  constructor(retryDelayMs: number) {
    super('RATE_LIMITED', 'the rate that the policy gives the caller is used up; retry later', retryDelayMs);
    this.name = 'RateLimited';
  }
}

/** Batches and chunks are shed long before live calls are, and for longer. */
export class Overloaded extends TryLater {
  constructor() {
    super('OVERLOADED', 'the server has no room for batches now; retry later', 1000);
    this.name = 'Overloaded';
  }
}

/**
 * The store cannot be reached, or not be trusted. `detail` is for the log of the operator and holds no token, key or
 * claim; the caller is told only that the store is unavailable.
 */
export class StoreUnavailable extends IntrospectdError {
  readonly detail: string;

  constructor(detail: string, options?: { readonly cause?: unknown }) {
    super('STORE_UNAVAILABLE', 'the token store is unavailable; retry');
    this.name = 'StoreUnavailable';
    this.detail = detail;
    if (options?.cause !== undefined) this.cause = options.cause;
  }
}
