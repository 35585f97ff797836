import type { Fence, FencedRead } from './fence.js';
import type { Digest } from './key-ring.js';

/** Joins the reads of one tick into one store read. A call joins only before the read is sent. */
export interface ReadBatcher {
  /** As Fence.read, for these digests alone. */
  read(digests: readonly Digest[]): Promise<FencedRead>;
}

export interface ReadBatcherDependencies {
  readonly fence: Pick<Fence, 'read'>;
  /** Runs the task after the events of this tick, once (setImmediate). */
  readonly schedule: (task: () => void) => void;
}

interface Waiting {
  readonly start: number;
  readonly end: number;
  readonly resolve: (read: FencedRead) => void;
  readonly reject: (error: unknown) => void;
}

export function createReadBatcher({ fence, schedule }: ReadBatcherDependencies): ReadBatcher {
  let digests: Digest[] = [];
  let waiting: Waiting[] = [];

  function send(): void {
    const [batch, callers] = [digests, waiting];
    digests = [];
    waiting = [];
    fence.read(batch).then(
      (read) => {
        for (const { start, end, resolve } of callers) resolve({ ...read, entries: read.entries.slice(start, end) });
      },
      (error: unknown) => {
        for (const { reject } of callers) reject(error);
      },
    );
  }

  return {
    read: (added) =>
      new Promise((resolve, reject) => {
        if (waiting.length === 0) schedule(send);
        const start = digests.length;
        digests.push(...added);
        waiting.push({ start, end: digests.length, resolve, reject });
      }),
  };
}
