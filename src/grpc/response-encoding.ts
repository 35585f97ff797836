// Answers as bytes: stored claims pass through undecoded, so only what is around them is written here.
import type { IntrospectdError } from '../core/errors.js';
import type { InactiveReason, Verdict } from '../core/judge.js';
import type { Caller } from '../core/policy.js';
import { Status } from '../gen/google/rpc/status.js';
import { InactiveReason as WireReason } from '../gen/introspectd/v1/introspection_service.js';
import { filterClaims } from './claims-filter.js';
import { toRpcStatus } from './status.js';

// Field tags: field number << 3 | wire type (0 varint, 2 bytes).
const ACTIVE = 0x08;
const CLAIMS = 0x12;
const INACTIVE_REASON = 0x18;
const RESULT = 0x0a;
const OUTCOME_RESPONSE = 0x0a;
const OUTCOME_ERROR = 0x12;

/**
 * Every field at its default is no bytes at all: inactive is the same empty message whatever the reason. cache_ms and
 * tags stay unset, here and in active answers: without a feed of revocations no cache may keep anything.
 */
const INACTIVE = Buffer.alloc(0);

/** What callers with permission "explain" get instead. */
const EXPLAINED: Readonly<Record<InactiveReason, Buffer>> = {
  NOT_FOUND: Buffer.from([INACTIVE_REASON, WireReason.NOT_FOUND]),
  REVOKED: Buffer.from([INACTIVE_REASON, WireReason.REVOKED]),
  EXPIRED: Buffer.from([INACTIVE_REASON, WireReason.EXPIRED]),
  NOT_YET_VALID: Buffer.from([INACTIVE_REASON, WireReason.NOT_YET_VALID]),
  AUDIENCE_MISMATCH: Buffer.from([INACTIVE_REASON, WireReason.AUDIENCE_MISMATCH]),
  TOKEN_USE_MISMATCH: Buffer.from([INACTIVE_REASON, WireReason.TOKEN_USE_MISMATCH]),
};

/** The claims of an active answer, or the whole of another message. */
interface Body {
  readonly kind: 'active' | 'inactive' | 'error';
  readonly bytes: Uint8Array;
}

/** IntrospectResponse. */
export function encodeIntrospectResponse(verdict: Verdict, caller: Caller): Buffer {
  const body = toBody(verdict, caller);
  const out = Buffer.allocUnsafe(bodyLength(body));
  writeBody(out, 0, body);
  return out;
}

/** BatchIntrospectResponse, in one buffer. */
export function encodeBatchIntrospectResponse(
  outcomes: readonly (Verdict | IntrospectdError)[],
  caller: Caller,
): Buffer {
  const bodies = outcomes.map((outcome) => toBody(outcome, caller));
  const out = Buffer.allocUnsafe(bodies.reduce((sum, body) => sum + fieldLength(resultLength(body)), 0));
  let at = 0;
  for (const body of bodies) {
    at = writeHeader(out, at, RESULT, resultLength(body));
    at = writeHeader(out, at, body.kind === 'error' ? OUTCOME_ERROR : OUTCOME_RESPONSE, bodyLength(body));
    at = writeBody(out, at, body);
  }
  return out;
}

function toBody(outcome: Verdict | IntrospectdError, caller: Caller): Body {
  if (outcome instanceof Error) return { kind: 'error', bytes: Status.encode(toRpcStatus(outcome)).finish() };
  if (outcome.active) return { kind: 'active', bytes: toVisible(outcome.claims, outcome.mask, caller.claimsMask) };
  return { kind: 'inactive', bytes: caller.permissions.has('explain') ? EXPLAINED[outcome.reason] : INACTIVE };
}

function toVisible(claims: Uint8Array, mask: number, visibleMask: number): Uint8Array {
  return (mask & ~visibleMask) === 0 ? claims : filterClaims(claims, visibleMask);
}

function resultLength(body: Body): number {
  return fieldLength(bodyLength(body));
}

function bodyLength({ kind, bytes }: Body): number {
  return kind === 'active' ? 2 + fieldLength(bytes.length) : bytes.length;
}

function writeBody(out: Buffer, start: number, { kind, bytes }: Body): number {
  let at = start;
  if (kind === 'active') {
    out[at++] = ACTIVE;
    out[at++] = 1;
    at = writeHeader(out, at, CLAIMS, bytes.length);
  }
  out.set(bytes, at);
  return at + bytes.length;
}

/** Of a length-delimited field: tag, length, content. */
function fieldLength(contentLength: number): number {
  let lengthBytes = 1;
  for (let rest = contentLength >>> 7; rest > 0; rest >>>= 7) lengthBytes++;
  return 1 + lengthBytes + contentLength;
}

function writeHeader(out: Buffer, start: number, tag: number, contentLength: number): number {
  let at = start;
  out[at++] = tag;
  let rest = contentLength;
  for (; rest > 0x7f; rest >>>= 7) out[at++] = (rest & 0x7f) | 0x80;
  out[at++] = rest;
  return at;
}
