// The store as the rules see it, deadline included: how long it takes, how much is asked of it, and its log.
import type { Meter } from '@opentelemetry/api';
import { StoreUnavailable } from '../core/errors.js';
import type { StoreRead, TokenStore } from '../core/token-store.js';
import { attempt } from './attempt.js';
import { createBoundCounter } from './bound-counter.js';
import { createHistogramFamily, type HistogramFamily } from './bound-histogram.js';
import { observeGauge } from './instrument.js';
import { createMemo } from './memo.js';

type Operation = 'read' | 'register' | 'would_register' | 'revoke_token' | 'revoke_tag';
type Outcome = 'ok' | 'unavailable' | 'fault';

export interface StoreMetrics {
  readonly histograms: readonly HistogramFamily[];
  /** None of them throws. */
  observeOperation(operation: Operation, outcome: Outcome, durationMs: number): void;
  observeRead(digestCount: number, reply: StoreRead): void;
}

/** Seconds. LMDB reads in microseconds, Redis in fractions of a millisecond. */
const DURATION_BOUNDS = [
  0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 5,
] as const;
const SIZE_BOUNDS = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000] as const;

export function createStoreMetrics(meter: Meter): StoreMetrics {
  const durations = createHistogramFamily(
    { name: 'introspectd.store.operation.duration', description: 'Time of one call of the store.', unit: 's' },
    DURATION_BOUNDS,
  );
  const durationOf = createMemo((operation: Operation) =>
    createMemo((outcome: Outcome) => durations.bind({ operation, outcome })),
  );
  const sizes = createHistogramFamily(
    {
      name: 'introspectd.store.read.size',
      description: 'Digests asked for in one read: those of all calls of a tick; 0 is a look at the log alone.',
      unit: '{digest}',
    },
    SIZE_BOUNDS,
  );
  const size = sizes.bind({});
  const resets = createBoundCounter(meter, {
    name: 'introspectd.store.log.resets',
    description: 'Reads that had lost their place in the revocation log; one at every start.',
    unit: '{reset}',
  })({});
  const logged = createBoundCounter(meter, {
    name: 'introspectd.store.log.entries',
    description:
      'Entries of the revocation log that reads brought along; reads at the same time may bring the same ones.',
    unit: '{entry}',
  })({});
  let lastReadMs = 0;
  observeGauge(
    meter,
    {
      name: 'introspectd.store.read.last_success',
      description: 'Unix time of the last read that was answered.',
      unit: 's',
    },
    [[() => lastReadMs / 1000]],
  );
  return {
    histograms: [durations, sizes],
    observeOperation: (operation, outcome, durationMs) =>
      attempt(() => durationOf(operation)(outcome).record(durationMs / 1000)),
    observeRead: (digestCount, reply) =>
      attempt(() => {
        size.record(digestCount);
        if (reply.reset) resets.add(1);
        logged.add(reply.revocations.length);
        lastReadMs = Date.now();
      }),
  };
}

/** Outermost: what a deadline gave up is counted as given up. */
export function withStoreMetrics(store: TokenStore, metrics: StoreMetrics): TokenStore {
  const measure = async <T>(operation: Operation, work: () => Promise<T>): Promise<T> => {
    const startedMs = performance.now();
    let outcome: Outcome = 'ok';
    try {
      return await work();
    } catch (error) {
      outcome = error instanceof StoreUnavailable ? 'unavailable' : 'fault';
      throw error;
    } finally {
      metrics.observeOperation(operation, outcome, performance.now() - startedMs);
    }
  };
  return {
    ...store,
    read: (digests, cursor) =>
      measure('read', async () => {
        const reply = await store.read(digests, cursor);
        metrics.observeRead(digests.length, reply);
        return reply;
      }),
    register: (entries) => measure('register', () => store.register(entries)),
    wouldRegister: (entries) => measure('would_register', () => store.wouldRegister(entries)),
    revokeToken: (command) => measure('revoke_token', () => store.revokeToken(command)),
    revokeTag: (command) => measure('revoke_tag', () => store.revokeTag(command)),
  };
}
