// Answers as bytes: stored claims pass through undecoded, so only what is around them is written here.
import type { IntrospectdError } from '../core/errors.js';
import type { Verdict } from '../core/introspect.js';
import type { Active, Inactive, InactiveReason } from '../core/judge.js';
import type { Caller } from '../core/policy.js';
import { SEALED_TAG_BYTES, TAG_BYTES, type TagSeal } from '../core/tag-seal.js';
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
const NOTHING = new Uint8Array(0);

export interface AnswerEncoder {
  /** IntrospectResponse. */
  one(verdict: Verdict, caller: Caller): Buffer;
  /** BatchIntrospectResponse, in one buffer. */
  many(outcomes: readonly (Verdict | IntrospectdError)[], caller: Caller): Buffer;
}

export interface AnswerEncoderDeps {
  readonly sealTags: TagSeal;
  /** Longest time that an answer may be kept; 0 = none may. */
  readonly cacheAgeMs: number;
}

/** What lets a cache keep an active answer. Tags are those of one answer, in what was sealed for all of them at once. */
interface Keeping {
  readonly sealed: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly cacheMs: number;
}

export function createAnswerEncoder({ sealTags, cacheAgeMs }: AnswerEncoderDeps): AnswerEncoder {
  // Inactive is the same message whatever the reason, what it says of caches included.
  const inactive = encodeCacheMs(Math.min(INACTIVE_CACHE_MS, cacheAgeMs));
  const explained = mapReasons((reason) =>
    Buffer.concat([Buffer.from([INACTIVE_REASON, WireReason[reason]]), inactive]),
  );

  function toInactive({ reason }: Inactive, caller: Caller): Buffer {
    return caller.permissions.has('explain') ? explained[reason] : inactive;
  }

  function toVisible({ claims, mask }: Active, { claimsMask }: Caller): Uint8Array {
    return (mask & ~claimsMask) === 0 ? claims : filterClaims(claims, claimsMask);
  }

  /** Only of an answer that revocations can reach: any other is not to be kept. */
  function toKeeping({ lifetimeMs }: Active, sealed: Uint8Array, start: number, end: number): Keeping {
    return { sealed, start, end, cacheMs: Math.min(cacheAgeMs, Math.floor(lifetimeMs)) };
  }

  /** All tags in one call of the cipher. */
  function toKeepings(outcomes: readonly (Verdict | IntrospectdError)[], caller: Caller) {
    const tags = outcomes.map(readTags);
    if (tags.every((some) => some.length === 0)) return [];
    const sealed = sealTags(caller.name, Buffer.concat(tags));
    let end = 0;
    return outcomes.map((outcome) => {
      if (!isActive(outcome) || outcome.tags === undefined) return undefined;
      const start = end;
      end += (outcome.tags.length / TAG_BYTES) * SEALED_TAG_BYTES;
      return toKeeping(outcome, sealed, start, end);
    });
  }

  /** The claims of what is active; of all else the whole message. */
  function toContent(outcome: Verdict | IntrospectdError, caller: Caller): Uint8Array {
    if (outcome instanceof Error) return Status.encode(toRpcStatus(outcome)).finish();
    return outcome.active ? toVisible(outcome, caller) : toInactive(outcome, caller);
  }

  return {
    one: (verdict, caller) => {
      if (!verdict.active) return toInactive(verdict, caller);
      const claims = toVisible(verdict, caller);
      let keeping: Keeping | undefined;
      if (verdict.tags !== undefined) {
        const sealed = sealTags(caller.name, verdict.tags);
        keeping = toKeeping(verdict, sealed, 0, sealed.length);
      }
      const out = Buffer.allocUnsafe(activeLength(claims, keeping));
      writeActive(out, 0, claims, keeping);
      return out;
    },
    many: (outcomes, caller) => {
      const keepings = toKeepings(outcomes, caller);
      const contents: Uint8Array[] = [];
      let length = 0;
      for (const [index, outcome] of outcomes.entries()) {
        const content = toContent(outcome, caller);
        contents.push(content);
        length += fieldLength(fieldLength(messageLength(outcome, content, keepings[index])));
      }
      const out = Buffer.allocUnsafe(length);
      let at = 0;
      for (const [index, outcome] of outcomes.entries()) {
        const content = contents[index] ?? inactive;
        const keeping = keepings[index];
        const bytes = messageLength(outcome, content, keeping);
        at = writeHeader(out, at, RESULT, fieldLength(bytes));
        at = writeHeader(out, at, outcome instanceof Error ? OUTCOME_ERROR : OUTCOME_RESPONSE, bytes);
        if (isActive(outcome)) {
          writeActive(out, at, content, keeping);
        } else {
          out.set(content, at);
        }
        at += bytes;
      }
      return out;
    },
  };
}

function isActive(outcome: Verdict | IntrospectdError): outcome is Verdict & Active {
  return !(outcome instanceof Error) && outcome.active;
}

function readTags(outcome: Verdict | IntrospectdError): Uint8Array {
  return isActive(outcome) ? (outcome.tags ?? NOTHING) : NOTHING;
}

function mapReasons(toMessage: (reason: InactiveReason) => Buffer): Readonly<Record<InactiveReason, Buffer>> {
  return {
    NOT_FOUND: toMessage('NOT_FOUND'),
    REVOKED: toMessage('REVOKED'),
    EXPIRED: toMessage('EXPIRED'),
    NOT_YET_VALID: toMessage('NOT_YET_VALID'),
    AUDIENCE_MISMATCH: toMessage('AUDIENCE_MISMATCH'),
    TOKEN_USE_MISMATCH: toMessage('TOKEN_USE_MISMATCH'),
  };
}

function messageLength(outcome: Verdict | IntrospectdError, content: Uint8Array, keeping: Keeping | undefined): number {
  return isActive(outcome) ? activeLength(content, keeping) : content.length;
}

function activeLength(claims: Uint8Array, keeping: Keeping | undefined): number {
  const length = 2 + fieldLength(claims.length);
  if (keeping === undefined) return length;
  const { start, end, cacheMs } = keeping;
  return length + fieldLength(end - start) + (cacheMs === 0 ? 0 : 1 + varintLength(cacheMs));
}

function writeActive(out: Buffer, start: number, claims: Uint8Array, keeping: Keeping | undefined): void {
  out[start] = ACTIVE;
  out[start + 1] = 1;
  let at = writeHeader(out, start + 2, CLAIMS, claims.length);
  out.set(claims, at);
  if (keeping === undefined) return;
  at = writeHeader(out, at + claims.length, TAGS, keeping.end - keeping.start);
  const tags = keeping.sealed.subarray(keeping.start, keeping.end);
  out.set(tags, at);
  at += tags.length;
  if (keeping.cacheMs !== 0) writeHeader(out, at, CACHE_MS, keeping.cacheMs);
}

/** 0, the default of the field, is no bytes at all. */
function encodeCacheMs(cacheMs: number): Buffer {
  if (cacheMs === 0) return Buffer.alloc(0);
  const out = Buffer.alloc(6);
  return out.subarray(0, writeHeader(out, 0, CACHE_MS, cacheMs));
}

/** Of a length-delimited field: tag, length, content. */
function fieldLength(contentLength: number): number {
  return 1 + varintLength(contentLength) + contentLength;
}

function varintLength(value: number): number {
  let bytes = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes++;
  return bytes;
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
