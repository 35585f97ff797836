// From a gRPC status to the error of this package: code, text, and the details of google.rpc (AIP-193).
import { type Metadata, status } from '@grpc/grpc-js';
import { MAX_TIMER_MS } from './clocks.js';
import { explainConnectionFailure } from './connection-failure.js';
import type { Any } from './gen/google/protobuf/any.js';
import { BadRequest, ErrorInfo, RetryInfo } from './gen/google/rpc/error_details.js';
import { Status } from './gen/google/rpc/status.js';
import { ERROR_CODES, IntrospectionError, type IntrospectionErrorCode } from './introspection-error.js';

const DETAILS_KEY = 'grpc-status-details-bin';
const PUSHBACK_KEY = 'grpc-retry-pushback-ms';
const DOMAIN = 'introspectd';

/** What a failed gRPC call leaves; a `ServiceError` of grpc-js is one. */
export interface FailedCall {
  /** gRPC status code as a number, other than 0. */
  readonly code: number;
  /** The text of the status. */
  readonly details: string;
  /** Trailing metadata; `grpc-status-details-bin` is read from it. */
  readonly metadata: Metadata;
}

/**
 * The error for a call made through {@link IntrospectionClient.raw}, or another stub of `@introspectd/client/gen`.
 *
 * @example
 * client.raw.introspect(request, (error, response) => {
 *   if (error) return done(toIntrospectionError(error));
 * });
 */
export function toIntrospectionError(call: FailedCall): IntrospectionError {
  const details = readDetails(() => {
    const [bytes] = call.metadata.get(DETAILS_KEY);
    return bytes instanceof Uint8Array ? Status.decode(bytes).details : [];
  });
  const retryDelayMs = details.retryDelayMs ?? readPushback(call.metadata);
  return new IntrospectionError(toCode(call.code), explainConnectionFailure(call.details), {
    ...details,
    retryDelayMs,
  });
}

/** gRFC A6: how long to wait, as servers and proxies say it that do not say RetryInfo. Anything else is "do not retry". */
function readPushback(metadata: Metadata): number | undefined {
  const [pushback] = metadata.get(PUSHBACK_KEY);
  if (pushback === undefined) return undefined;
  return /^\d{1,9}$/.test(String(pushback)) ? Number(pushback) : MAX_TIMER_MS;
}

/** The error of one item of a batch. */
export function toItemError({ code, message, details }: Status): IntrospectionError {
  return new IntrospectionError(
    toCode(code),
    message,
    readDetails(() => details),
  );
}

interface Details {
  reason?: string;
  retryDelayMs?: number;
  violations?: { field: string; description: string }[];
}

function readDetails(get: () => readonly Any[]): Details {
  const found: Details = {};
  try {
    for (const detail of get()) readDetail(detail, found);
  } catch {
    // Details explain a failure. Unreadable ones must not hide it.
  }
  return found;
}

function readDetail({ typeUrl, value }: Any, found: Details): void {
  switch (typeUrl.slice(typeUrl.lastIndexOf('/') + 1)) {
    case 'google.rpc.ErrorInfo': {
      const { domain, reason } = ErrorInfo.decode(value);
      if (domain === DOMAIN) found.reason = reason;
      return;
    }
    case 'google.rpc.RetryInfo': {
      const { retryDelay } = RetryInfo.decode(value);
      if (retryDelay) {
        const delayMs = Number(retryDelay.seconds) * 1_000 + retryDelay.nanos / 1_000_000;
        found.retryDelayMs = Math.max(0, Math.ceil(delayMs));
      }
      return;
    }
    case 'google.rpc.BadRequest': {
      const { fieldViolations } = BadRequest.decode(value);
      found.violations = fieldViolations.map(({ field, description }) => ({ field, description }));
    }
  }
}

function toCode(code: number): IntrospectionErrorCode {
  return ERROR_CODES.find((name) => status[name] === code) ?? 'UNKNOWN';
}
