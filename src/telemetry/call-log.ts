// One record a call, of these fields and no others.
import type { Logger, LogLevel } from './logger.js';
import { toSafeFields } from './safe-error.js';

/** What a request says of itself. */
export interface CallFacts {
  /** How many tokens, where the method takes many. */
  readonly count?: number;
  /** Of calls with one token: the token, of which the log gets a keyed digest. */
  readonly token?: string;
}

export interface CallRecord {
  readonly method: string;
  /** Name of the gRPC code. */
  readonly code: string;
  /** What was thrown; undefined = OK. */
  readonly error: unknown;
  /** By its name in the policy; undefined when it was refused before it was known. */
  readonly caller: string | undefined;
  readonly requestId: string;
  readonly durationMs: number;
  readonly facts: CallFacts;
}

export interface CallLog {
  /** False = a call that went well need not be described. */
  writesSuccesses(): boolean;
  write(record: CallRecord): void;
}

export interface CallLogDeps {
  readonly logger: Logger;
  /** A token's digest under the log key. */
  readonly digestToken: (token: string) => string;
}

// Everything that is not here is a fault of the caller, or its end.
const LEVELS: Readonly<Record<string, LogLevel>> = {
  OK: 'debug',
  UNAVAILABLE: 'warn',
  INTERNAL: 'error',
};

export function createCallLog({ logger, digestToken }: CallLogDeps): CallLog {
  return {
    writesSuccesses: () => logger.isEnabled('debug'),
    write: ({ method, code, error, caller, requestId, durationMs, facts }) => {
      const level = LEVELS[code] ?? 'info';
      if (!logger.isEnabled(level)) return;
      logger.write(level, 'call', {
        caller,
        method,
        code,
        duration_ms: Math.round(durationMs * 1000) / 1000,
        count: facts.count,
        token: facts.token ? digestToken(facts.token) : undefined,
        request_id: requestId,
        ...toSafeFields(error),
      });
    },
  };
}
