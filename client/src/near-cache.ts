// Answers that may be given again: bounded, dropped by tag, and over at the first of: its own end, exp, the watch's epoch.
import { LRUCache } from 'lru-cache';
import { type Instant, isOver, readClocks } from './clocks.js';
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
  find(question: string): IntrospectionResult | undefined;
  /** Call it before the question is sent. */
  ask(): Ticket;
  /**
   * The answer has come, or there will be none: once for each ticket. False when it is not kept, because there is none, or
   * something since the ticket speaks against it.
   */
  answer(ticket: Ticket, question: string, keep: Answer | undefined): boolean;
  /** False when no answer to a question of then can be kept. */
  isCurrent(ticket: Ticket): boolean;
  drop(key: DropKey): void;
  /** What was answered to `question` before, or is on its way, is not true any more. */
  dropQuestion(question: string): void;
  clear(): void;
  readonly size: { readonly entries: number; readonly inactiveEntries: number; readonly bytes: number };
}

/** Drops to remember for the questions in flight. Beyond it, none of those in flight is kept. */
const MAX_RECENT_DROPS = 10_000;
/** Of what would be dropped by one key: beyond it, and a quarter of all, emptying the cache is cheaper, and as right. */
const MAX_SINGLE_DROPS = 1_000;
/** Entries looked at for their end at each keep(), from the least recently used on. */
const SWEEP = 2;

export function createNearCache(bounds: CacheBounds): NearCache {
  let index = createDropIndex();
  let active = createActive(bounds, index);
  const inactive = new LRUCache<string, Answer>({ max: Math.max(1, bounds.maxInactiveEntries) });

  // Counts drops. A ticket is the count when it was given.
  let drops = 0;
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
    index = createDropIndex();
    active = createActive(bounds, index);
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
    find: (question) => {
      const answer = active.get(question) ?? inactive.get(question);
      return answer === undefined || isOver(answer.end, readClocks()) ? undefined : answer.result;
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
        const [into, outOf] = keep.result.active ? [active, inactive] : [inactive, active];
        outOf.delete(question);
        into.set(question, keep);
        if (keep.result.active && active.has(question)) index.add(question, keep.dropKeys);
      }
      release();
      return isGood;
    },
    isCurrent: (ticket) => ticket >= oldestGood,
    drop: (key) => {
      remember(key);
      const questions = index.find(key);
      if (questions.length > MAX_SINGLE_DROPS && questions.length > active.size / 4) clear();
      else for (const question of questions) active.delete(question);
    },
    dropQuestion: (question) => {
      remember(question);
      active.delete(question);
    },
    clear: () => {
      refuseAllInFlight();
      clear();
    },
    get size() {
      return { entries: active.size, inactiveEntries: inactive.size, bytes: active.calculatedSize };
    },
  };
}

function createActive({ maxEntries, maxBytes }: CacheBounds, index: DropIndex): LRUCache<string, Answer> {
  return new LRUCache({
    max: maxEntries,
    maxSize: maxBytes,
    sizeCalculation: ({ bytes }) => bytes,
    dispose: ({ dropKeys }, question) => index.remove(question, dropKeys),
  });
}

interface DropIndex {
  add(question: string, keys: readonly DropKey[]): void;
  remove(question: string, keys: readonly DropKey[]): void;
  find(key: DropKey): readonly string[];
}

/** Which questions a key drops. Most keys have one question, so only the others have a set. */
function createDropIndex(): DropIndex {
  const questions = new Map<DropKey, string | Set<string>>();
  return {
    add: (question, keys) => {
      for (const key of keys) {
        const known = questions.get(key);
        if (known === undefined || known === question) questions.set(key, question);
        else if (typeof known === 'string') questions.set(key, new Set([known, question]));
        else known.add(question);
      }
    },
    remove: (question, keys) => {
      for (const key of keys) {
        const known = questions.get(key);
        if (known === question) questions.delete(key);
        else if (known instanceof Set) {
          known.delete(question);
          if (known.size === 0) questions.delete(key);
        }
      }
    },
    find: (key) => {
      const known = questions.get(key);
      if (known === undefined) return [];
      return typeof known === 'string' ? [known] : [...known];
    },
  };
}
