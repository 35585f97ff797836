// A history: processes that register, read, revoke and cache at three daemons while faults come, all of it written down.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bounds, countReadsAfterRevoke, findViolations, type History, type Violation } from './checker.js';
import { findEffects } from './covering.js';
import { type Crew, type CrewRequest, startCrew } from './crew.js';
import { type Fault, startFaults } from './faults.js';
import { type IssuedToken, monotonicMs, type Read, type Revoked } from './history.js';
import { createIssuer } from './issuer.js';

export interface HistoryRequest extends Omit<CrewRequest, 'onMessage'> {
  readonly leaseMs: number;
  faults(crew: Pick<Crew, 'cutCache'>): readonly Fault[];
  readonly durationMs: number;
  /** A busy machine gets more time, up to three times as much, until so much has happened. */
  readonly atLeast: { readonly readsAfterRevoke: number; readonly cacheReads: number; readonly eachFault: number };
}

export interface HistoryResult {
  readonly violations: readonly Violation[];
  readonly faults: Readonly<Record<string, number>>;
  readonly counts: Readonly<Record<string, number>>;
  readonly readsAfterRevoke: number;
  readonly cacheReads: number;
}

/** What is written down. */
interface Book {
  readonly tokens: IssuedToken[];
  readonly revoked: Revoked[];
  readonly reads: Read[];
  readonly counts: Record<string, number>;
}

const LONGEST = 3;
const ISSUE_EVERY_MS = 250;
const LOOK_EVERY_MS = 250;
const BOUNDS: Pick<Bounds, 'toleranceMs' | 'clockMs'> = { toleranceMs: 50, clockMs: 5 };

export async function runHistory(request: HistoryRequest): Promise<HistoryResult> {
  const book: Book = { tokens: [], revoked: [], reads: [], counts: {} };
  const startMs = monotonicMs();
  const crew = startCrew({
    ...request,
    onMessage: writeDown(book, (tokens) => crew.tellAll({ kind: 'revoked', tokens })),
  });
  const issuing = startIssuing(request, book, crew);
  const faults = startFaults(request.faults(crew));
  const anyFailure = Promise.race([crew.failure, issuing.failure, faults.failure]);
  try {
    while (!isEnough(request, book, faults.counts, monotonicMs() - startMs)) {
      await Promise.race([sleep(LOOK_EVERY_MS), anyFailure]);
    }
    await Promise.race([faults.stop(), anyFailure]);
    await issuing.stop();
    await crew.stop();
  } finally {
    void faults.stop().catch(() => undefined);
    issuing.close();
    crew.kill();
  }
  const history = toHistory(book);
  return {
    violations: findViolations(history, { ...BOUNDS, leaseMs: request.leaseMs }),
    faults: Object.fromEntries(faults.counts),
    readsAfterRevoke: countReadsAfterRevoke(history),
    cacheReads: countCacheReads(book),
    counts: { seconds: Math.round((monotonicMs() - startMs) / 1000), ...summarize(book) },
  };
}

function writeDown(book: Book, onRevoked: (tokens: readonly number[]) => void): CrewRequest['onMessage'] {
  return (trade, message) => {
    if (message.kind === 'reads') book.reads.push(...message.reads);
    else if (message.kind === 'revoked') {
      book.revoked.push(...message.revoked);
      onRevoked(message.revoked.filter(({ acknowledged }) => acknowledged).map(({ token }) => token));
    } else {
      for (const [what, count] of Object.entries(message.counts)) {
        const name = `${trade}: ${what}`;
        book.counts[name] = (book.counts[name] ?? 0) + count;
      }
    }
  };
}

function startIssuing({ stage }: HistoryRequest, book: Book, crew: Crew) {
  const issuer = createIssuer(stage.targets, stage.tls('login'));
  let stopped = false;
  const ended = (async () => {
    while (!stopped) {
      const issued = await issuer.issue();
      book.tokens.push(...issued);
      crew.tellAll({ kind: 'issued', tokens: issued.map(({ id }) => id) });
      await sleep(ISSUE_EVERY_MS);
    }
  })();
  const failure = new Promise<never>((_, reject) => void ended.catch(reject));
  failure.catch(() => undefined);
  return {
    failure,
    stop: () => {
      stopped = true;
      return ended;
    },
    close: () => {
      stopped = true;
      issuer.close();
    },
  };
}

function isEnough(
  { durationMs, atLeast }: HistoryRequest,
  book: Book,
  faults: ReadonlyMap<string, number>,
  passedMs: number,
): boolean {
  if (passedMs < durationMs) return false;
  if (passedMs >= durationMs * LONGEST) return true;
  return (
    Math.min(...faults.values()) >= atLeast.eachFault &&
    countCacheReads(book) >= atLeast.cacheReads &&
    countReadsAfterRevoke(toHistory(book)) >= atLeast.readsAfterRevoke
  );
}

function toHistory({ tokens, revoked, reads }: Book): History {
  return { tokens, effects: findEffects(tokens, revoked), reads };
}

function countCacheReads({ reads }: Book): number {
  return reads.filter(({ from }) => from === 'cache').length;
}

function summarize({ tokens, revoked, reads, counts }: Book): Readonly<Record<string, number>> {
  const acknowledged = revoked.filter((one) => one.acknowledged);
  return {
    tokens: tokens.length,
    'revocations acknowledged': acknowledged.length,
    'revocations that waited for caches': acknowledged.filter(({ waitsForCaches }) => waitsForCaches).length,
    'reads answered by servers': reads.filter(({ from, answer }) => from === 'server' && answer !== 'error').length,
    'reads without an answer': reads.filter(({ answer }) => answer === 'error').length,
    ...counts,
  };
}
