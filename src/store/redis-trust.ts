// Whether a Redis may be believed: a master that throws nothing away and keeps what it acknowledged. Asked after every
// connect and every 30 s; without a yes no command of the store is sent.
import { StoreUnavailable } from '../core/errors.js';
import type { RedisConnection } from './redis-connection.js';

export interface RedisTrust {
  /** Throws StoreUnavailable with the reason when there is no yes that is young enough. */
  require(): void;
  /** Asks, now; the same answer for all who ask at once. */
  check(): Promise<void>;
  /** Until the next yes. */
  withdraw(fault: StoreUnavailable): void;
  stop(): void;
}

export interface RedisTrustDependencies {
  readonly ask: () => Pick<RedisConnection, 'send'>;
  readonly allowVolatile: boolean;
}

const EVERY_MS = 30_000;
const AGAIN_MS = 300;
const TIMEOUT_MS = 2000;
/** The flags of scripts came with it; a revocation must get through when Redis is full. */
const MIN_MAJOR_VERSION = 7;

export function createRedisTrust({ ask, allowVolatile }: RedisTrustDependencies): RedisTrust {
  let fault: StoreUnavailable | undefined = new StoreUnavailable('Redis was not asked yet');
  let epoch = 0;
  let checking: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const look = async (): Promise<void> => {
    const begun = epoch;
    try {
      const [info] = await ask().send([['INFO']], TIMEOUT_MS);
      const problem = findProblem(String(info ?? ''), allowVolatile);
      // An answer of a connection that was lost meanwhile says nothing of the next one.
      if (begun === epoch) fault = problem === undefined ? undefined : new StoreUnavailable(problem);
    } catch (error) {
      if (begun === epoch)
        fault = error instanceof StoreUnavailable ? error : new StoreUnavailable('Redis did not answer');
    }
  };

  const askAgain = (): void => {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(() => void check(), fault === undefined ? EVERY_MS : AGAIN_MS).unref();
  };

  const check = (): Promise<void> => {
    clearTimeout(timer);
    checking ??= look().finally(() => {
      checking = undefined;
      askAgain();
    });
    return checking;
  };

  return {
    require: () => {
      if (fault !== undefined) throw fault;
    },
    check,
    withdraw: (reason) => {
      epoch += 1;
      fault = reason;
      askAgain();
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** Why this server must not be used, from its INFO; undefined when it may. */
function findProblem(info: string, allowVolatile: boolean): string | undefined {
  const find = (name: string): string | undefined => RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  if (Number.parseInt(find('redis_version') ?? '', 10) < MIN_MAJOR_VERSION) return 'Redis 7.0 or newer is needed';
  if (find('role') !== 'master') return 'this Redis is a replica: name the master in store.url';
  if (find('loading') !== '0') return 'Redis is still loading its data';
  if (find('maxmemory_policy') !== 'noeviction') {
    return 'Redis may throw away what was revoked: set its maxmemory-policy to noeviction';
  }
  if (find('aof_enabled') !== '1' && !allowVolatile) {
    return 'Redis forgets revocations when it stops: set its appendonly to yes (or store.allow_volatile, for tests)';
  }
  return undefined;
}
