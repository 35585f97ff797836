// Answers that may be given again: bounded, dropped by tag, and over at the first of: its own end, exp, the watch's epoch.
import { LRUCache } from 'lru-cache';
import { type Instant, isOver, readClocks } from './clocks.js';
import { createDropMarks, type DropMark, type DropMarks } from './drop-marks.js';
import type { IntrospectionResult } from './introspection-result.js';

/** What an answer belongs to: its tags, and the token itself by its name in this process. */
export type DropKey = string;

export interface Answer {
  readonly result: IntrospectionResult;
  /** What drops it. */
  readonly dropKeys: readonly DropKey[];
  /** Good until then, exp included. */
  readonly end: Instant;
  /** About what it takes in memory. */
  readonly bytes: number;
}

export interface CacheBounds {
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly maxInactiveEntries: number;
}

/** When something was asked; given back with the answer. */
export type Ticket = number;

export interface NearCache {
  find(question: string, now: Instant): IntrospectionResult | undefined;
  /** Call it before the question is sent. */
  ask(): Ticket;
  /**
   * The answer has come, or there will be none: once for each ticket. False when it is not kept, because there is none, or
   * something since the ticket speaks against it.
   */
  answer(ticket: Ticket, question: string, keep: Answer | undefined): boolean;
  /** False when no answer to a question of then can be kept. */
  isCurrent(ticket: Ticket): boolean;
  /** Takes as long for one answer as for all of them: they are marked, and go when they are looked for or pushed out. */
  drop(key: DropKey): void;
  /** What was answered to `question` before, or is on its way, is not true any more. */
  dropQuestion(question: string): void;
  clear(): void;
  /** How often drop() named something that answers carry. */
  readonly drops: number;
  readonly size: { readonly entries: number; readonly inactiveEntries: number; readonly bytes: number };
}

/** Drops to remember for the questions in flight. Beyond it, none of those in flight is kept. */
const MAX_RECENT_DROPS = 10_000;
/** Entries looked at for their end at each keep(), from the least recently used on. */
const SWEEP = 2;

export function createNearCache(bounds: CacheBounds): NearCache {
  let marks = createDropMarks();
  let active = createActive(bounds, marks);
  const inactive = new LRUCache<string, Pick<Answer, 'result' | 'end'>>({
    max: Math.max(1, bounds.maxInactiveEntries),
  });

  // Counts drops. A ticket is the count when it was given.
  let drops = 0;
  let found = 0;
  let recent = new Map<string, number>();
  let inFlight = 0;
  /** Tickets from before this keep nothing. */
  let oldestGood = 0;

  function remember(key: string): void {
    drops += 1;
    if (inFlight === 0) return;
    recent.set(key, drops);
    if (recent.size > MAX_RECENT_DROPS) refuseAllInFlight();
  }

  function refuseAllInFlight(): void {
    drops += 1;
    oldestGood = drops;
    recent = new Map();
  }

  function release(): void {
    inFlight -= 1;
    if (inFlight === 0) recent.clear();
  }

  function clear(): void {
    // New ones, so that emptying takes no longer when there is more.
    marks = createDropMarks();
    active = createActive(bounds, marks);
    inactive.clear();
  }

  function mayKeep(ticket: Ticket, question: string, { dropKeys }: Answer): boolean {
    const isSince = (key: string) => (recent.get(key) ?? 0) > ticket;
    return ticket >= oldestGood && !isSince(question) && !dropKeys.some(isSince);
  }

  function sweep(): void {
    const now = readClocks();
    let left = SWEEP;
    for (const question of active.rkeys()) {
      const answer = active.peek(question);
      if (answer === undefined || !isOver(answer.end, now)) return;
      active.delete(question);
      left -= 1;
      if (left === 0) return;
    }
  }

  return {
    find: (question, now) => {
      const kept = active.get(question);
      if (kept !== undefined) {
        if (!isOver(kept.end, now) && !isDropped(kept)) return kept.result;
        active.delete(question);
      }
      const answer = inactive.get(question);
      return answer === undefined || isOver(answer.end, now) ? undefined : answer.result;
    },
    ask: () => {
      inFlight += 1;
      return drops;
    },
    answer: (ticket, question, keep) => {
      const isWanted = keep?.result.active || bounds.maxInactiveEntries > 0;
      const isGood = keep !== undefined && isWanted && mayKeep(ticket, question, keep);
      if (isGood) {
        sweep();
        active.delete(question);
        inactive.delete(question);
        const { result, end, bytes, dropKeys } = keep;
        if (result.active) active.set(question, { result, end, bytes, marks: dropKeys.map(marks.take) });
        else inactive.set(question, { result, end });
      }
      release();
      return isGood;
    },
    isCurrent: (ticket) => ticket >= oldestGood,
    drop: (key) => {
      remember(key);
      if (marks.drop(key)) found += 1;
    },
    dropQuestion: (question) => {
      remember(question);
      active.delete(question);
    },
    clear: () => {
      refuseAllInFlight();
      clear();
    },
    get drops() {
      return found;
    },
    get size() {
      return { entries: active.size, inactiveEntries: inactive.size, bytes: active.calculatedSize };
    },
  };
}

interface Kept extends Pick<Answer, 'result' | 'end' | 'bytes'> {
  readonly marks: readonly DropMark[];
}

function createActive({ maxEntries, maxBytes }: CacheBounds, marks: DropMarks): LRUCache<string, Kept> {
  return new LRUCache({
    max: maxEntries,
    maxSize: maxBytes,
    sizeCalculation: ({ bytes }) => bytes,
    dispose: (kept) => {
      for (const mark of kept.marks) marks.giveBack(mark);
    },
  });
}

function isDropped({ marks }: Kept): boolean {
  for (const mark of marks) if (mark.isDropped) return true;
  return false;
}
