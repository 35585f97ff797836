// Readiness follows the store, and the fence follows the log.
import { setTimeout as sleep } from 'node:timers/promises';
import { StoreUnavailable } from '../core/errors.js';
import type { Fence } from '../core/fence.js';
import type { TokenStore } from '../core/token-store.js';
import type { Readiness } from '../grpc/readiness.js';
import type { Logger } from '../telemetry/logger.js';
import { toSafeFields } from '../telemetry/safe-error.js';
import { followLog } from './follow-log.js';

export interface StoreWatchDeps {
  readonly store: Pick<TokenStore, 'ready' | 'awaitLog'>;
  readonly fence: Fence;
  readonly readiness: Readiness;
  readonly logger: Logger;
}

const EVERY_MS = 1000;
const TIMEOUT_MS = 2000;

/** Resolves after the first look. */
export async function watchStore(deps: StoreWatchDeps): Promise<{ readonly stop: () => void }> {
  const stopped = new AbortController();
  await look(deps);
  void followLog(deps, stopped.signal);
  void (async () => {
    while (!stopped.signal.aborted) {
      await sleep(EVERY_MS, undefined, { ref: false, signal: stopped.signal }).catch(() => undefined);
      if (!stopped.signal.aborted) await look(deps);
    }
  })();
  return { stop: () => stopped.abort() };
}

/** Never throws. */
async function look({ store, fence, readiness, logger }: StoreWatchDeps): Promise<void> {
  const before = readiness.state();
  try {
    await withTimeout(store.ready().then(() => fence.read([])));
    readiness.set('ready');
    if (before === 'store_unavailable') logger.write('info', 'store_ready');
  } catch (error) {
    readiness.set('store_unavailable');
    if (before !== 'store_unavailable') logger.write('error', 'store_unavailable', toSafeFields(error));
  }
}

/** A folder on a disk that hangs answers nothing at all. */
async function withTimeout(work: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  const expired = sleep(TIMEOUT_MS, undefined, { ref: false, signal: timer.signal }).then(() => {
    throw new StoreUnavailable(`no answer within ${TIMEOUT_MS} ms`);
  });
  try {
    await Promise.race([work, expired]);
  } finally {
    timer.abort();
    expired.catch(() => undefined);
  }
}
