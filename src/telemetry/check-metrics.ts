// How Checks of Envoy ended. The rules know of no metrics.
import type { Meter } from '@opentelemetry/api';
import type { CheckVerdict, Denial } from '../core/check.js';
import { attempt } from './attempt.js';
import { createBoundCounter } from './bound-counter.js';
import { UNKNOWN_CALLER } from './call-metrics.js';
import { createMemo } from './memo.js';

export type CheckOutcome =
  | Exclude<CheckVerdict<unknown>['outcome'], 'denied'>
  | Denial
  /** Denied, because the caller may not ask. */
  | 'refused'
  /** Denied, because nobody knows. */
  | 'doubt'
  /** Not answered: Envoy's failure_mode_allow decided. */
  | 'handed_to_envoy';

export interface CheckMetrics {
  /** Never throws. Undefined = the caller was refused before it was known. */
  count(caller: string | undefined, outcome: CheckOutcome): void;
}

export function createCheckMetrics(meter: Meter): CheckMetrics {
  const bind = createBoundCounter(meter, {
    name: 'introspectd.checks',
    description: 'Requests that Envoy asked about, by what became of them.',
    unit: '{request}',
  });
  const checksOf = createMemo((caller: string) => createMemo((outcome: CheckOutcome) => bind({ caller, outcome })));
  return {
    count: (caller = UNKNOWN_CALLER, outcome) => attempt(() => checksOf(caller)(outcome).add(1)),
  };
}
