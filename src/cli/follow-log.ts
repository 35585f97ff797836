import { setTimeout as sleep } from 'node:timers/promises';
import type { Fence } from '../core/fence.js';
import type { TokenStore } from '../core/token-store.js';

export interface FollowerDeps {
  readonly store: Pick<TokenStore, 'awaitLog'>;
  readonly fence: Fence;
}

/** Of a store that is away; readiness.ts and the log tell of it, by another look. */
const BACK_OFF_MS = 100;

/**
 * Reads the revocation log as it grows, so that watchers are told at once and an idle daemon is up to date. Ends with the
 * signal; never rejects.
 */
export async function followLog({ store, fence }: FollowerDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const { position } = fence;
      if (position !== undefined) await store.awaitLog(position, signal);
      if (!signal.aborted) await fence.read([]);
    } catch {
      await sleep(BACK_OFF_MS, undefined, { ref: false, signal }).catch(() => undefined);
    }
  }
}
