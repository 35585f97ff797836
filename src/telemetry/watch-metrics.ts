// Caches that watch revocations: what they are told. How many there are is in the calls in flight.
import type { Meter } from '@opentelemetry/api';
import type { ResetCause } from '../core/watcher.js';
import { attempt } from './attempt.js';
import { createBoundCounter } from './bound-counter.js';
import { createMemo } from './memo.js';

/** Neither throws. */
export interface WatchObserver {
  sentEvents(count: number): void;
  sentReset(cause: ResetCause): void;
}

export function createWatchMetrics(meter: Meter): WatchObserver {
  const events = createBoundCounter(meter, {
    name: 'introspectd.watch.events',
    description: 'Revocations told to watchers, one for each watcher that was told.',
    unit: '{event}',
  })({});
  const bindResets = createBoundCounter(meter, {
    name: 'introspectd.watch.resets',
    description: 'Watchers told to drop everything, by why.',
    unit: '{reset}',
  });
  const resetsOf = createMemo((cause: ResetCause) => bindResets({ cause }));
  return {
    sentEvents: (count) => attempt(() => events.add(count)),
    sentReset: (cause) => attempt(() => resetsOf(cause).add(1)),
  };
}
