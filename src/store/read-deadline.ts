import { StoreUnavailable } from '../core/errors.js';
import type { TokenStore } from '../core/token-store.js';

/**
 * Bounds every read of entries and log: a hung store is StoreUnavailable after `timeoutMs`, and what it may say later is
 * not listened to. Writes are left alone: a write that was given up may still take effect, so its caller waits for as
 * long as its own deadline allows.
 */
export function withReadDeadline(store: TokenStore, timeoutMs: number): TokenStore {
  return {
    ...store,
    read: (digests, cursor) => {
      let timer: NodeJS.Timeout | undefined;
      const expired = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new StoreUnavailable(`no answer within ${timeoutMs} ms`)), timeoutMs);
      });
      return Promise.race([store.read(digests, cursor), expired]).finally(() => clearTimeout(timer));
    },
  };
}
