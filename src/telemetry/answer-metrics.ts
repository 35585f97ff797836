// What was said of tokens, counted around the rules: they know of no metrics.
import type { Meter } from '@opentelemetry/api';
import { IntrospectdError } from '../core/errors.js';
import type { Introspect, Verdict } from '../core/introspect.js';
import type { InactiveReason } from '../core/judge.js';
import { attempt } from './attempt.js';
import { createBoundCounter } from './bound-counter.js';
import { createMemo } from './memo.js';

type Answer = Verdict | IntrospectdError;
type Outcome = 'active' | Lowercase<InactiveReason> | 'item_at_fault';

/** Neither throws. Calls that failed as a whole have no answers. */
export interface AnswerMetrics {
  countOne(caller: string, answer: Answer): void;
  count(caller: string, answers: readonly Answer[]): void;
}

const INACTIVE: Readonly<Record<InactiveReason, Outcome>> = {
  NOT_FOUND: 'not_found',
  REVOKED: 'revoked',
  EXPIRED: 'expired',
  NOT_YET_VALID: 'not_yet_valid',
  AUDIENCE_MISMATCH: 'audience_mismatch',
  TOKEN_USE_MISMATCH: 'token_use_mismatch',
};

export function createAnswerMetrics(meter: Meter): AnswerMetrics {
  const bind = createBoundCounter(meter, {
    name: 'introspectd.answers',
    description:
      'Answers about tokens, those of batches too. Callers without permission "explain" are not told why one is inactive.',
    unit: '{answer}',
  });
  const answersOf = createMemo((caller: string) => createMemo((outcome: Outcome) => bind({ caller, outcome })));
  return {
    countOne: (caller, answer) => attempt(() => answersOf(caller)(toOutcome(answer)).add(1)),
    count: (caller, answers) =>
      attempt(() => {
        const counts = new Map<Outcome, number>();
        for (const answer of answers) {
          const outcome = toOutcome(answer);
          counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
        }
        for (const [outcome, count] of counts) answersOf(caller)(outcome).add(count);
      }),
  };
}

export function withAnswerMetrics(introspect: Introspect, metrics: AnswerMetrics): Introspect {
  return {
    one: async (command, token) => {
      const verdict = await introspect.one(command, token);
      metrics.countOne(command.caller.name, verdict);
      return verdict;
    },
    many: async (command, items, pace) => {
      const answers = await introspect.many(command, items, pace);
      metrics.count(command.caller.name, answers);
      return answers;
    },
  };
}

function toOutcome(answer: Answer): Outcome {
  if (answer instanceof IntrospectdError) return 'item_at_fault';
  return answer.active ? 'active' : INACTIVE[answer.reason];
}
