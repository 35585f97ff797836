// Any thrown thing -> one gRPC status: the code, fixed text, and google.rpc.Status in the details.
import { status as Code, Metadata, type StatusObject } from '@grpc/grpc-js';
import { IntrospectdError, type Reason, TryLater } from '../core/errors.js';
import type { Any } from '../gen/google/protobuf/any.js';
import { BadRequest, ErrorInfo, RetryInfo } from '../gen/google/rpc/error_details.js';
import { Status } from '../gen/google/rpc/status.js';
import { REQUEST_ID_KEY } from './request-id.js';

const DOMAIN = 'introspectd';
const DETAILS_KEY = 'grpc-status-details-bin';

const CODES: Readonly<Record<Reason, Code>> = {
  CALLER_UNIDENTIFIED: Code.UNAUTHENTICATED,
  CALLER_UNKNOWN: Code.PERMISSION_DENIED,
  CONDITION_NOT_MET: Code.PERMISSION_DENIED,
  PERMISSION_MISSING: Code.PERMISSION_DENIED,
  ISSUER_NOT_ALLOWED: Code.PERMISSION_DENIED,
  TOKEN_REQUIRED: Code.INVALID_ARGUMENT,
  TOKEN_TOO_LONG: Code.INVALID_ARGUMENT,
  TOKEN_MALFORMED: Code.INVALID_ARGUMENT,
  BATCH_EMPTY: Code.INVALID_ARGUMENT,
  BATCH_TOO_LARGE: Code.INVALID_ARGUMENT,
  REQUEST_INVALID: Code.INVALID_ARGUMENT,
  CLAIMS_INVALID: Code.INVALID_ARGUMENT,
  CLAIMS_TOO_LARGE: Code.INVALID_ARGUMENT,
  TTL_TOO_LONG: Code.INVALID_ARGUMENT,
  TOKEN_EXISTS: Code.ALREADY_EXISTS,
  TOKEN_REVOKED: Code.FAILED_PRECONDITION,
  ISSUED_BEFORE_IN_FUTURE: Code.INVALID_ARGUMENT,
  STORE_UNAVAILABLE: Code.UNAVAILABLE,
  OVERLOADED: Code.RESOURCE_EXHAUSTED,
  RATE_LIMITED: Code.RESOURCE_EXHAUSTED,
  UNKNOWN_TOKENS_EXHAUSTED: Code.RESOURCE_EXHAUSTED,
  DRAINING: Code.UNAVAILABLE,
  NOT_SUPPORTED: Code.UNIMPLEMENTED,
  DEADLINE: Code.DEADLINE_EXCEEDED,
  CANCELLED: Code.CANCELLED,
  INTERNAL: Code.INTERNAL,
};

/** RetryInfo of every reason whose code is UNAVAILABLE or RESOURCE_EXHAUSTED; a TryLater knows better. */
const RETRY_DELAY_MS: Readonly<Partial<Record<Reason, number>>> = {
  STORE_UNAVAILABLE: 250,
  OVERLOADED: 100,
  RATE_LIMITED: 1000,
  // Tombstones of unknown tokens make room only as they expire.
  UNKNOWN_TOKENS_EXHAUSTED: 60_000,
  DRAINING: 50,
};

/** The one status without a reason of ours: grpc.health.v1 asks for NOT_FOUND, and nothing else here is ever "not found". */
export class UnknownServiceError extends Error {
  override readonly name = 'UnknownServiceError';
}

/** The gRPC code of a thrown thing, as the name that logs show; undefined = OK. */
export function toCodeName(error: unknown): string {
  return error === undefined ? 'OK' : (Code[toCode(error)] ?? 'UNKNOWN');
}

/** For an item of a batch, and inside the details of a failed call. */
export function toRpcStatus(error: unknown): Status {
  if (error instanceof UnknownServiceError) {
    return { code: Code.NOT_FOUND, message: 'this server has no service of that name', details: [] };
  }
  if (error instanceof IntrospectdError) {
    return { code: CODES[error.reason], message: error.message, details: toDetails(error) };
  }
  // Whatever this is, its text was not written for callers and may hold a secret.
  return toRpcStatus(new IntrospectdError('INTERNAL', 'internal error; the log of the server has the request id'));
}

/** For grpc-js: what a failed call ends with. */
export function toServiceError(error: unknown, requestId: string): StatusObject {
  const rpcStatus = toRpcStatus(error);
  const metadata = createTrailer(requestId);
  metadata.set(DETAILS_KEY, Buffer.from(Status.encode(rpcStatus).finish()));
  return { code: rpcStatus.code, details: rpcStatus.message, metadata };
}

/** The trailing metadata of every call. */
export function createTrailer(requestId: string): Metadata {
  const trailer = new Metadata();
  trailer.set(REQUEST_ID_KEY, requestId);
  return trailer;
}

function toCode(error: unknown): Code {
  if (error instanceof UnknownServiceError) return Code.NOT_FOUND;
  return error instanceof IntrospectdError ? CODES[error.reason] : Code.INTERNAL;
}

function toDetails(error: IntrospectdError): Any[] {
  const { reason, violations } = error;
  const details = [toAny('ErrorInfo', ErrorInfo.encode({ reason, domain: DOMAIN, metadata: {} }).finish())];
  if (violations.length > 0) {
    const fieldViolations = violations.map(({ field, description }) => ({ field, description }));
    details.push(toAny('BadRequest', BadRequest.encode({ fieldViolations }).finish()));
  }
  const delayMs = error instanceof TryLater ? error.retryDelayMs : RETRY_DELAY_MS[reason];
  if (delayMs !== undefined) details.push(toAny('RetryInfo', RetryInfo.encode(toRetryInfo(delayMs)).finish()));
  return details;
}

function toRetryInfo(delayMs: number): RetryInfo {
  return { retryDelay: { seconds: BigInt(Math.floor(delayMs / 1000)), nanos: (delayMs % 1000) * 1_000_000 } };
}

function toAny(message: string, bytes: Uint8Array): Any {
  return { typeUrl: `type.googleapis.com/google.rpc.${message}`, value: Buffer.from(bytes) };
}
