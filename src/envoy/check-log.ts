// Why requests were refused, for the operator. A route that is configured wrongly says so at every request: its record is
// written once a minute.
import type { Denied } from '../core/check.js';
import type { Logger } from '../telemetry/logger.js';

export interface CheckLog {
  denied(denial: LoggedDenial): void;
}

export interface LoggedDenial extends Pick<Denied, 'denial' | 'fault'> {
  readonly caller: string;
  readonly requestId: string;
}

const REPEAT_MS = 60_000;
/** Different faults that are remembered; keys of context extensions are without bound. */
const MAX_FAULTS = 1000;
/** What a mistyped key looks like, and a token does not. */
const WORD = /^[A-Za-z_]{1,32}$/;

/** `nowMs` never steps back. */
export function createCheckLog(logger: Logger, nowMs: () => number): CheckLog {
  const writtenAtMs = new Map<string, number>();

  function isNew(fault: string): boolean {
    const atMs = writtenAtMs.get(fault);
    const now = nowMs();
    if (atMs !== undefined && now - atMs < REPEAT_MS) return false;
    if (atMs === undefined && writtenAtMs.size >= MAX_FAULTS) writtenAtMs.clear();
    writtenAtMs.set(fault, now);
    return true;
  }

  return {
    denied: ({ caller, denial, fault, requestId }) => {
      if (fault === undefined) {
        logger.write('debug', 'check_denied', { caller, denial, request_id: requestId });
        return;
      }
      const { problem } = fault;
      const key = fault.key !== undefined && WORD.test(fault.key) ? fault.key : undefined;
      if (!isNew(JSON.stringify([caller, problem, key]))) return;
      logger.write('warn', 'check_misconfigured', { caller, problem, key, request_id: requestId });
    },
  };
}
