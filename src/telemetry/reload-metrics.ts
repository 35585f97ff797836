// Files that are read again while the daemon runs: a bad one keeps the last good one, so somebody must be told.
import type { Meter } from '@opentelemetry/api';
import { attempt } from './attempt.js';
import { createBoundCounter } from './bound-counter.js';
import { observeGauge } from './instrument.js';
import { createMemo } from './memo.js';

/** What was read again: "policy", "tls". A bounded set. Neither throws. */
export interface ReloadObserver {
  succeeded(what: string): void;
  failed(what: string): void;
}

export function createReloadMetrics(meter: Meter): ReloadObserver {
  const bind = createBoundCounter(meter, {
    name: 'introspectd.reloads',
    description: 'Files read again after a change, by whether they are in use now.',
    unit: '{reload}',
  });
  const failing: [() => number, { readonly what: string }][] = [];
  const reloadsOf = createMemo((what: string) => {
    let isFailing = 0;
    failing.push([() => isFailing, { what }]);
    const [succeeded, failed] = [bind({ what, outcome: 'succeeded' }), bind({ what, outcome: 'failed' })];
    return (outcome: 'succeeded' | 'failed') => {
      isFailing = outcome === 'failed' ? 1 : 0;
      (outcome === 'failed' ? failed : succeeded).add(1);
    };
  });
  observeGauge(
    meter,
    {
      name: 'introspectd.reload.failing',
      description: '1 while a changed file is not in use because it has faults.',
      unit: '1',
    },
    failing,
  );
  return {
    succeeded: (what) => attempt(() => reloadsOf(what)('succeeded')),
    failed: (what) => attempt(() => reloadsOf(what)('failed')),
  };
}
