import type { Fence, FencedRead } from './fence.js';
import type { Digest } from './key-ring.js';

/**
 * Joins the reads of one tick into one store read. A call joins only before the read is sent: add() and read() with nothing
 * awaited between them.
 */
export interface ReadBatcher {
  /** To the read of this tick; tells where in its entries theirs begin. */
  add(digests: readonly Digest[]): number;
  /** As Fence.read: the read of this tick, the same for all that joined it. */
  read(): Promise<FencedRead>;
}

export interface ReadBatcherDependencies {
  readonly fence: Pick<Fence, 'read'>;
  /** Runs the task after the events of this tick, once (setImmediate). */
  readonly schedule: (task: () => void) => void;
}

export function createReadBatcher({ fence, schedule }: ReadBatcherDependencies): ReadBatcher {
  let digests: Digest[] = [];
  let reading: Promise<FencedRead> | undefined;

  return {
    add: (added) => {
      const start = digests.length;
      for (const digest of added) digests.push(digest);
      return start;
    },
    read: () => {
      reading ??= new Promise((resolve) => {
        schedule(() => {
          const batch = digests;
          digests = [];
          reading = undefined;
          resolve(fence.read(batch));
        });
      });
      return reading;
    },
  };
}
