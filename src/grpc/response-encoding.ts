// Answers as bytes: stored claims pass through undecoded, so only what is around them is written here.
import type { IntrospectdError } from '../core/errors.js';
import type { Active, InactiveReason, Verdict } from '../core/judge.js';
import type { Caller } from '../core/policy.js';
import { SEALED_TAG_BYTES, type TagSeal } from '../core/tag-seal.js';
import { Status } from '../gen/google/rpc/status.js';
import { InactiveReason as WireReason } from '../gen/introspectd/v1/introspection_service.js';
import { filterClaims } from './claims-filter.js';
import { toRpcStatus } from './status.js';

// Field tags: field number << 3 | wire type (0 varint, 2 bytes).
const ACTIVE = 0x08;
const CLAIMS = 0x12;
const INACTIVE_REASON = 0x18;
const TAGS = 0x22;
const CACHE_MS = 0x28;
const RESULT = 0x0a;
const OUTCOME_RESPONSE = 0x0a;
const OUTCOME_ERROR = 0x12;

/** An inactive token can become active by its registration alone, which no feed tells of. */
const INACTIVE_CACHE_MS = 1000;
const TAG_BYTES = 8;
const NOTHING = new Uint8Array(0);

/** Whom an answer is for. */
export interface Asked {
  readonly caller: Caller;
  /** The request's include_tags. */
  readonly includeTags: boolean;
}

export interface AnswerEncoder {
  /** IntrospectResponse. */
  one(verdict: Verdict, asked: Asked): Buffer;
  /** BatchIntrospectResponse, in one buffer. */
  many(outcomes: readonly (Verdict | IntrospectdError)[], asked: Asked): Buffer;
}

export interface AnswerEncoderDeps {
  readonly sealTags: TagSeal;
  /** Longest time that an answer may be kept; 0 = none may. */
  readonly cacheAgeMs: number;
}

/** The claims of an active answer and the fields behind them, or the whole of another message. */
interface Body {
  readonly kind: 'active' | 'inactive' | 'error';
  readonly bytes: Uint8Array;
  readonly tail: Uint8Array;
}

export function createAnswerEncoder({ sealTags, cacheAgeMs }: AnswerEncoderDeps): AnswerEncoder {
  // Inactive is the same message whatever the reason, what it says of caches included.
  const cacheInactive = encodeCacheMs(Math.min(INACTIVE_CACHE_MS, cacheAgeMs));
  const inactive: Body = { kind: 'inactive', bytes: cacheInactive, tail: NOTHING };
  const explained = mapReasons((reason) => ({
    kind: 'inactive',
    bytes: Buffer.concat([Buffer.from([INACTIVE_REASON, WireReason[reason]]), cacheInactive]),
    tail: NOTHING,
  }));

  function toBody(outcome: Verdict | IntrospectdError, caller: Caller, tail: Uint8Array): Body {
    if (outcome instanceof Error) {
      return { kind: 'error', bytes: Status.encode(toRpcStatus(outcome)).finish(), tail: NOTHING };
    }
    if (outcome.active) {
      return { kind: 'active', bytes: toVisible(outcome.claims, outcome.mask, caller.claimsMask), tail };
    }
    return caller.permissions.has('explain') ? explained[outcome.reason] : inactive;
  }

  /** Tags and how long to keep it, of an answer that revocations can reach; of any other, nothing: it is not to be kept. */
  function toTail({ lifetimeMs }: Active, sealed: Uint8Array): Uint8Array {
    const tags = Buffer.allocUnsafe(fieldLength(sealed.length));
    tags.set(sealed, writeHeader(tags, 0, TAGS, sealed.length));
    return Buffer.concat([tags, encodeCacheMs(Math.min(cacheAgeMs, Math.floor(lifetimeMs)))]);
  }

  /** All tags in one call of the cipher. */
  function toTaggedBodies(outcomes: readonly (Verdict | IntrospectdError)[], caller: Caller): readonly Body[] {
    const sealed = sealTags(caller.name, Buffer.concat(outcomes.map(readTags)));
    let at = 0;
    return outcomes.map((outcome) => {
      const length = (readTags(outcome).length / TAG_BYTES) * SEALED_TAG_BYTES;
      const own = sealed.subarray(at, at + length);
      at += length;
      return toBody(outcome, caller, isActive(outcome) ? toTail(outcome, own) : NOTHING);
    });
  }

  return {
    one: (verdict, { caller, includeTags }) => {
      const isTagged = includeTags && verdict.active && caller.permissions.has('watch');
      const tail = isTagged ? toTail(verdict, sealTags(caller.name, verdict.tags)) : NOTHING;
      const body = toBody(verdict, caller, tail);
      const out = Buffer.allocUnsafe(bodyLength(body));
      writeBody(out, 0, body);
      return out;
    },
    many: (outcomes, { caller, includeTags }) => {
      const isTagged = includeTags && caller.permissions.has('watch');
      const bodies = isTagged
        ? toTaggedBodies(outcomes, caller)
        : outcomes.map((outcome) => toBody(outcome, caller, NOTHING));
      const out = Buffer.allocUnsafe(bodies.reduce((sum, body) => sum + fieldLength(resultLength(body)), 0));
      let at = 0;
      for (const body of bodies) {
        at = writeHeader(out, at, RESULT, resultLength(body));
        at = writeHeader(out, at, body.kind === 'error' ? OUTCOME_ERROR : OUTCOME_RESPONSE, bodyLength(body));
        at = writeBody(out, at, body);
      }
      return out;
    },
  };
}

function isActive(outcome: Verdict | IntrospectdError): outcome is Active {
  return !(outcome instanceof Error) && outcome.active;
}

function readTags(outcome: Verdict | IntrospectdError): Uint8Array {
  return isActive(outcome) ? outcome.tags : NOTHING;
}

function mapReasons(toBody: (reason: InactiveReason) => Body): Readonly<Record<InactiveReason, Body>> {
  return {
    NOT_FOUND: toBody('NOT_FOUND'),
    REVOKED: toBody('REVOKED'),
    EXPIRED: toBody('EXPIRED'),
    NOT_YET_VALID: toBody('NOT_YET_VALID'),
    AUDIENCE_MISMATCH: toBody('AUDIENCE_MISMATCH'),
    TOKEN_USE_MISMATCH: toBody('TOKEN_USE_MISMATCH'),
  };
}

function toVisible(claims: Uint8Array, mask: number, visibleMask: number): Uint8Array {
  return (mask & ~visibleMask) === 0 ? claims : filterClaims(claims, visibleMask);
}

function resultLength(body: Body): number {
  return fieldLength(bodyLength(body));
}

function bodyLength({ kind, bytes, tail }: Body): number {
  return kind === 'active' ? 2 + fieldLength(bytes.length) + tail.length : bytes.length;
}

function writeBody(out: Buffer, start: number, { kind, bytes, tail }: Body): number {
  let at = start;
  if (kind === 'active') {
    out[at++] = ACTIVE;
    out[at++] = 1;
    at = writeHeader(out, at, CLAIMS, bytes.length);
  }
  out.set(bytes, at);
  out.set(tail, at + bytes.length);
  return at + bytes.length + tail.length;
}

/** 0, the default of the field, is no bytes at all. */
function encodeCacheMs(cacheMs: number): Buffer {
  if (cacheMs === 0) return Buffer.alloc(0);
  const out = Buffer.alloc(6);
  return out.subarray(0, writeHeader(out, 0, CACHE_MS, cacheMs));
}

/** Of a length-delimited field: tag, length, content. */
function fieldLength(contentLength: number): number {
  let lengthBytes = 1;
  for (let rest = contentLength >>> 7; rest > 0; rest >>>= 7) lengthBytes++;
  return 1 + lengthBytes + contentLength;
}

/** A field's tag, and the varint behind it: a length, or the value itself. */
function writeHeader(out: Buffer, start: number, tag: number, value: number): number {
  let at = start;
  out[at++] = tag;
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) out[at++] = (rest & 0x7f) | 0x80;
  out[at++] = rest;
  return at;
}
