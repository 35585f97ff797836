// Keeps a watch open for the cache, and holds its lease: the right to answer from memory for a moment.
//
// A new stream is a new epoch, and the cache begins again: what happened in between would be told by the log, but a policy
// that was narrowed in between is in no log.
import { type Backoff, pickDelayMs } from './backoff.js';
import type { ClientLogger } from './client-logger.js';
import { addMs, type Instant, isOver, OVER, readClocks } from './clocks.js';
import type { IntrospectionServiceClient, WatchRenewed } from './gen/introspectd/v1/introspection_service.js';
import type { IntrospectionError, IntrospectionErrorCode } from './introspection-error.js';
import { openWatch, type WatchStream } from './watch-stream.js';

/** What a lease is for. */
export interface Leaseholder {
  /** Drop what carries these. */
  revoked(tags: readonly Uint8Array[]): void;
  /** Drop everything. */
  reset(): void;
}

export interface WatchSessionDependencies {
  readonly raw: IntrospectionServiceClient;
  readonly holder: Leaseholder;
  readonly logger: ClientLogger;
}

export interface WatchSession {
  /** Opens the watch, unless it is open or waits for its next attempt. */
  start(): void;
  hasLease(now: Instant): boolean;
  /** Begins again at once: the certificate changed, and tags are for one caller alone. */
  restart(): void;
  close(): void;
  readonly resets: number;
}

// Until the first lease says how long leases are.
const FIRST_LEASE_MS = 2_000;
const RENEWALS_PER_LEASE = 4;
const MIN_PERIOD_MS = 25;
/** Two leases without an answer: the connection is dead, or the server is stuck. */
const MAX_SILENT_RENEWALS = 2 * RENEWALS_PER_LEASE;
const RECONNECT: Backoff = { firstMs: 200, maxMs: 5_000 };
/** For a server that does not let this client watch: until its policy, or the server, is another. */
const REFUSED: Backoff = { firstMs: 120_000, maxMs: 120_000 };
const REFUSALS: ReadonlySet<IntrospectionErrorCode> = new Set([
  'PERMISSION_DENIED',
  'UNAUTHENTICATED',
  'UNIMPLEMENTED',
]);

export function createWatchSession({ raw, holder, logger }: WatchSessionDependencies): WatchSession {
  let state: 'idle' | 'open' | 'waiting' | 'closed' = 'idle';
  let stream: WatchStream | undefined;
  let lease: Instant = OVER;
  let resets = 0;
  let failures = 0;
  let nonce = 0n;
  let unanswered: { readonly nonce: bigint; readonly sentAt: Instant }[] = [];
  let isStarted = false;
  let silentTicks = 0;
  let periodMs = 0;
  let ticking: NodeJS.Timeout | undefined;
  let reopening: NodeJS.Timeout | undefined;

  /** Nothing that was asked for, or granted, before this counts any more. */
  function beginEpoch(): void {
    lease = OVER;
    unanswered = [];
    holder.reset();
  }

  function renew(): void {
    nonce += 1n;
    // The lease counts from here, before the renewal is on its way: the server can only have read later.
    unanswered.push({ nonce, sentAt: readClocks() });
    stream?.renew(nonce);
  }

  function tickEvery(ms: number): void {
    if (ms === periodMs) return;
    periodMs = ms;
    clearInterval(ticking);
    ticking = setInterval(tick, ms);
    ticking.unref();
  }

  function tick(): void {
    silentTicks += 1;
    if (silentTicks > MAX_SILENT_RENEWALS) {
      stream?.cancel();
      ended(undefined);
    } else if (isStarted) renew();
  }

  function renewed({ nonce: answered, leaseMs }: WatchRenewed): void {
    const renewal = unanswered.find((candidate) => candidate.nonce === answered);
    // Of an epoch that is over.
    if (renewal === undefined) return;
    unanswered = unanswered.filter((candidate) => candidate.nonce > answered);
    silentTicks = 0;
    failures = 0;
    lease = addMs(renewal.sentAt, Number(leaseMs));
    tickEvery(Math.max(MIN_PERIOD_MS, Math.floor(Number(leaseMs) / RENEWALS_PER_LEASE)));
  }

  function open(): void {
    state = 'open';
    isStarted = false;
    silentTicks = 0;
    beginEpoch();
    tickEvery(FIRST_LEASE_MS / RENEWALS_PER_LEASE);
    stream = openWatch(raw, '', {
      started: () => {
        isStarted = true;
        renew();
      },
      revoked: ({ events }) => holder.revoked(events.map(({ tag }) => tag)),
      renewed,
      reset: () => {
        resets += 1;
        beginEpoch();
        renew();
      },
      ended,
    });
  }

  function ended(error: IntrospectionError | undefined): void {
    stop();
    const isRefusal = error !== undefined && REFUSALS.has(error.code);
    const delayMs = Math.max(error?.retryDelayMs ?? 0, pickDelayMs(isRefusal ? REFUSED : RECONNECT, failures));
    // Ends of connections are daily business; what lasts is said once.
    if (failures === (isRefusal ? 0 : 2)) {
      logger.warn({ code: error?.code, reason: error?.reason }, 'no watch on revocations: answers are not cached');
    }
    failures += 1;
    state = 'waiting';
    reopening = setTimeout(open, delayMs);
    reopening.unref();
  }

  function stop(): void {
    beginEpoch();
    stream = undefined;
    clearTimeout(reopening);
    clearInterval(ticking);
    periodMs = 0;
  }

  function endWith(next: 'idle' | 'closed'): void {
    stream?.cancel();
    stop();
    state = next;
  }

  return {
    start: () => {
      if (state === 'idle') open();
    },
    hasLease: (now) => !isOver(lease, now),
    restart: () => {
      if (state === 'closed') return;
      const wasStarted = state !== 'idle';
      failures = 0;
      endWith('idle');
      if (wasStarted) open();
    },
    close: () => endWith('closed'),
    get resets() {
      return resets;
    },
  };
}
