// The one error of this package: a closed list of codes, and whether trying again can help.

/** The gRPC status codes other than OK. */
export const ERROR_CODES = [
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

/** Name of a gRPC status code other than OK. */
export type IntrospectionErrorCode = (typeof ERROR_CODES)[number];

/** A field of the request that the server refused. */
export interface FieldViolation {
  /** Path of the field in the request message, such as `items[3].token`. */
  readonly field: string;
  /** What is wrong with it, for people. Never quotes the value. */
  readonly description: string;
}

/** What an {@link IntrospectionError} carries beside its code and message. */
export interface IntrospectionErrorOptions {
  /** See {@link IntrospectionError.reason}. */
  readonly reason?: string | undefined;
  /** See {@link IntrospectionError.retryDelayMs}. */
  readonly retryDelayMs?: number | undefined;
  /** See {@link IntrospectionError.violations}. Default: none. */
  readonly violations?: readonly FieldViolation[] | undefined;
  /** What led to it; for an aborted call the `reason` of the signal. */
  readonly cause?: unknown;
}

/**
 * There is no answer. Everything this package throws or rejects with is one of these.
 *
 * It says nothing about a token: do not treat it as inactive, and do not treat it as active. The message never holds a
 * token and is meant for logs.
 */
export class IntrospectionError extends Error {
  /**
   * The gRPC status code. `UNAVAILABLE` also covers connections that could not be made; `INTERNAL` also an answer that
   * breaks the contract; `CANCELLED` an aborted signal and a closed client; `INVALID_ARGUMENT` also faults of the
   * options given to this package.
   */
  readonly code: IntrospectionErrorCode;

  /**
   * Why, as the server said it: a name of `introspectd.v1.ErrorReason` without its prefix, such as `STORE_UNAVAILABLE`
   * or `PERMISSION_MISSING`. Undefined when the error was made on this side of the connection. New reasons may appear:
   * branch on `code` first.
   */
  readonly reason: string | undefined;

  /**
   * Whether the same call may succeed later: true for `UNAVAILABLE`, and for `RESOURCE_EXHAUSTED` when the server said
   * when to come back. Revoking is idempotent, so a failed {@link IntrospectionClient.revoke} may always be repeated.
   */
  readonly retryable: boolean;

  /** How long to wait before the next attempt, in milliseconds, where the server said so (google.rpc.RetryInfo). */
  readonly retryDelayMs: number | undefined;

  /** The fields at fault (google.rpc.BadRequest); empty where there are none. */
  readonly violations: readonly FieldViolation[];

  /** @param message for people; must not hold a token. */
  constructor(code: IntrospectionErrorCode, message: string, options: IntrospectionErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'IntrospectionError';
    this.code = code;
    this.reason = options.reason;
    this.retryDelayMs = options.retryDelayMs;
    this.retryable = code === 'UNAVAILABLE' || (code === 'RESOURCE_EXHAUSTED' && options.retryDelayMs !== undefined);
    this.violations = options.violations ?? [];
  }
}
