import { StoreUnavailable } from './errors.js';
import type { FencedRead } from './fence.js';

export interface Renewals {
  /** Asks for a lease. Of those that are asked for while a read is under way, the newest is answered. */
  ask(nonce: bigint): void;
}

export interface RenewalsDependencies {
  /** A read that begins now, and not before. */
  readonly read: () => Promise<FencedRead>;
  readonly grant: (nonce: bigint, leaseMs: number) => void;
  /** What grant() threw, or anything but a store that is away. */
  readonly fail: (error: unknown) => void;
}

/**
 * A lease is granted on the strength of a store read that began after it was asked for, and not granted when the read
 * fails: the cache's lease runs out, and it may ask again.
 */
export function createRenewals({ read, grant, fail }: RenewalsDependencies): Renewals {
  let newest: bigint | undefined;
  let isReading = false;

  async function answer(): Promise<void> {
    isReading = true;
    while (newest !== undefined) {
      const nonce = newest;
      newest = undefined;
      try {
        const { leaseMs } = await read();
        grant(nonce, leaseMs);
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) fail(error);
      }
    }
    isReading = false;
  }

  return {
    ask: (nonce) => {
      newest = nonce;
      if (!isReading) void answer();
    },
  };
}
