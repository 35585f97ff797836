// Group commit: what arrives while a commit is on its way to the disk goes into the next one together.
import type { Environment } from './lmdb-binding.js';

export interface CommitQueue<Transaction> {
  /**
   * Runs the command in a write transaction, on this thread and synchronously; resolves when the commit is on disk and
   * visible to every process. What the command throws rejects it alone, and what it wrote before stays.
   */
  run<Result>(weight: number, command: (transaction: Transaction) => Result): Promise<Result>;
  /** Resolves when nothing is under way. */
  drain(): Promise<void>;
}

/** In units of one entry (about 15 us): what one transaction may hold up this thread and the other processes. */
const MAX_WEIGHT = 500;

interface Waiting<Transaction> {
  readonly weight: number;
  /** Returns how to settle once the commit is done. */
  readonly execute: (transaction: Transaction) => () => void;
  readonly reject: (error: unknown) => void;
}

// LMDB's write lock belongs to the process, and lmdb-js runs commands on this thread while a worker thread holds it.
const underWay = new Set<Promise<unknown>>();

/** Runs what takes the write lock on this thread, such as opening LMDB, when no handle of this process has it. */
export async function whenNoTransactionIsUnderWay<Result>(action: () => Result): Promise<Result> {
  while (underWay.size > 0) await Promise.allSettled(underWay);
  return action();
}

export function createCommitQueue<Transaction>(
  root: Environment,
  inTransaction: (commands: (transaction: Transaction) => void) => void,
): CommitQueue<Transaction> {
  let waiting: Waiting<Transaction>[] = [];
  let pumping: Promise<void> | undefined;

  const commitBatch = async (): Promise<void> => {
    let batch: readonly Waiting<Transaction>[] = [];
    let settle: readonly (() => void)[] = [];
    const commit = root.transaction(() => {
      [batch, waiting] = split(waiting);
      inTransaction((transaction) => {
        settle = batch.map(({ execute }) => execute(transaction));
      });
    });
    underWay.add(commit);
    try {
      await commit;
      for (const done of settle) done();
    } catch (error) {
      // A transaction that did not even begin would not begin for the others either.
      const refused = batch.length > 0 ? batch : waiting.splice(0);
      for (const { reject } of refused) reject(error);
    } finally {
      underWay.delete(commit);
    }
  };

  const pump = async (): Promise<void> => {
    while (waiting.length > 0) await commitBatch();
    pumping = undefined;
  };

  return {
    run: (weight, command) =>
      new Promise((resolve, reject) => {
        waiting.push({
          weight,
          execute: (transaction) => attempt(() => command(transaction), resolve, reject),
          reject,
        });
        pumping ??= pump();
      }),
    drain: async () => pumping,
  };
}

function attempt<Result>(
  command: () => Result,
  resolve: (result: Result) => void,
  reject: (error: unknown) => void,
): () => void {
  try {
    const result = command();
    return () => resolve(result);
  } catch (error) {
    return () => reject(error);
  }
}

/** The first of them, at least one, up to MAX_WEIGHT; and the rest. */
function split<Item extends { readonly weight: number }>(items: readonly Item[]): [readonly Item[], Item[]] {
  let weight = 0;
  const end = items.findIndex((item, index) => {
    weight += item.weight;
    return index > 0 && weight > MAX_WEIGHT;
  });
  return end < 0 ? [items, []] : [items.slice(0, end), items.slice(end)];
}
