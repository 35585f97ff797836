// Whether a history keeps the promises. A token is a register that goes one way, so one look at each read is enough: the
// instant of its death must lie after the latest "active" was asked and before the earliest "inactive" was told.
import type { Effect } from './covering.js';
import type { IssuedToken, Read } from './history.js';

/**
 * V1: active, asked after an acknowledged revocation. V2: active, asked after somebody was told that it is not. V3:
 * active, asked at or after exp. V4: inactive without a reason, or claims that are not the token's. V5: a cache says
 * active longer than a lease after an acknowledgement, or at all after one that waited for caches.
 */
export type Rule = 'V1' | 'V2' | 'V3' | 'V4' | 'V5';

export interface Violation {
  readonly rule: Rule;
  readonly read: Read;
  /** The instant that the read goes against. */
  readonly againstMs: number;
}

export interface History {
  readonly tokens: readonly IssuedToken[];
  readonly effects: readonly Effect[];
  readonly reads: readonly Read[];
}

export interface Bounds {
  readonly leaseMs: number;
  /** Above the lease: between what a process looked at and what it wrote down. */
  readonly toleranceMs: number;
  /** Between the clocks that exp is judged by and the monotonic one. */
  readonly clockMs: number;
}

interface Fate {
  readonly issued: IssuedToken;
  /** The earliest acknowledgement; Infinity = none. */
  acknowledgedMs: number;
  /** The earliest acknowledgement that waited for caches. */
  flushedMs: number;
  /** The earliest instant at which it may have died. */
  perhapsMs: number;
  /** The earliest time at which a server had told that it is inactive. */
  toldMs: number;
}

/** In time that grows with the history's length, no faster. */
export function findViolations({ tokens, effects, reads }: History, bounds: Bounds): readonly Violation[] {
  const fates = new Map(tokens.map((issued) => [issued.id, toFate(issued)]));
  for (const effect of effects) {
    const fate = fates.get(effect.token);
    if (fate === undefined) continue;
    fate.perhapsMs = Math.min(fate.perhapsMs, effect.invokeMs);
    if (effect.kind !== 'acknowledged') continue;
    fate.acknowledgedMs = Math.min(fate.acknowledgedMs, effect.returnMs);
    if (effect.waitsForCaches) fate.flushedMs = Math.min(fate.flushedMs, effect.returnMs);
  }
  for (const { token, answer, from, invokeMs, returnMs } of reads) {
    const fate = fates.get(token);
    if (fate === undefined || answer !== 'inactive' || from !== 'server') continue;
    if (invokeMs > fate.issued.returnMs) fate.toldMs = Math.min(fate.toldMs, returnMs);
  }
  return reads.flatMap((read) => {
    const fate = fates.get(read.token);
    if (fate === undefined || read.answer === 'error') return [];
    return read.answer === 'inactive' ? judgeInactive(read, fate, bounds) : judgeActive(read, fate, bounds);
  });
}

/** Reads that a server answered, asked after an acknowledged revocation of the token. */
export function countReadsAfterRevoke({ effects, reads }: History): number {
  const acknowledged = new Map<number, number>();
  for (const { token, kind, returnMs } of effects) {
    if (kind === 'acknowledged') acknowledged.set(token, Math.min(returnMs, acknowledged.get(token) ?? returnMs));
  }
  const isAfter = ({ token, invokeMs, answer, from }: Read) =>
    answer !== 'error' && from === 'server' && invokeMs > (acknowledged.get(token) ?? Number.POSITIVE_INFINITY);
  return reads.filter(isAfter).length;
}

function judgeActive(read: Read, fate: Fate, bounds: Bounds): readonly Violation[] {
  const { invokeMs, from, answer } = read;
  const found: Violation[] = [];
  const forbid = (rule: Rule, againstMs: number) => {
    if (invokeMs > againstMs) found.push({ rule, read, againstMs });
  };
  if (answer === 'wrong' || read.returnMs < fate.issued.invokeMs) {
    found.push({ rule: 'V4', read, againstMs: fate.issued.invokeMs });
  }
  forbid('V3', fate.issued.endsMs + bounds.clockMs);
  if (from === 'cache') {
    forbid('V5', fate.acknowledgedMs + bounds.leaseMs + bounds.toleranceMs);
    forbid('V5', fate.flushedMs);
  } else {
    forbid('V1', fate.acknowledgedMs);
    forbid('V2', fate.toldMs);
  }
  return found;
}

function judgeInactive(read: Read, fate: Fate, { clockMs }: Bounds): readonly Violation[] {
  const mayBeDeadMs = Math.min(fate.perhapsMs, fate.issued.endsMs - clockMs);
  const isWrong = read.invokeMs > fate.issued.returnMs && read.returnMs < mayBeDeadMs;
  return isWrong ? [{ rule: 'V4', read, againstMs: mayBeDeadMs }] : [];
}

function toFate(issued: IssuedToken): Fate {
  const never = Number.POSITIVE_INFINITY;
  return { issued, acknowledgedMs: never, flushedMs: never, perhapsMs: never, toldMs: never };
}
