// Hands what the fence reads to those who watch. The more of them there are, the more entries go out together: a message
// to each of many watchers costs more than the revocations in it.
import type { LogListener } from './fence.js';
import type { Cursor, LogEntry } from './token-store.js';

export interface RevocationFeed extends LogListener {
  /**
   * Hands out what waits, and says up to which entry everybody was told; undefined before the log was read. What the
   * fence knew when this is called has been handed out when it returns.
   */
  flush(): Cursor | undefined;
  /** From the next entry on; call flush() before, to know which that is. The result ends it. */
  subscribe(listener: LogListener): () => void;
}

export interface RevocationFeedDependencies {
  /** Monotonic, ms. */
  readonly now: () => number;
  /** Runs the task once, so many ms later. */
  readonly schedule: (task: () => void, delayMs: number) => void;
}

/** About what one watcher costs, with as much time again for everything else. */
const SPACING_MS_PER_WATCHER = 0.04;
const MAX_SPACING_MS = 50;
/** Of one message. With 1,000 the memory of 200 watchers grew by 10 MB more. */
const MAX_ENTRIES = 250;

export function createRevocationFeed({ now, schedule }: RevocationFeedDependencies): RevocationFeed {
  const listeners = new Set<LogListener>();
  let position: Cursor | undefined;
  let waiting: LogEntry[] = [];
  let isScheduled = false;
  let flushedMs = Number.NEGATIVE_INFINITY;

  function flush(): Cursor | undefined {
    const all = waiting;
    if (all.length === 0) return position;
    waiting = [];
    flushedMs = now();
    for (let start = 0; start < all.length; start += MAX_ENTRIES) {
      const entries = all.slice(start, start + MAX_ENTRIES);
      position = entries.at(-1)?.cursor ?? position;
      for (const listener of listeners) listener.onEntries(entries);
    }
    return position;
  }

  return {
    flush,
    onEntries: (entries) => {
      waiting.push(...entries);
      const spacingMs = Math.min(listeners.size * SPACING_MS_PER_WATCHER, MAX_SPACING_MS);
      const delayMs = flushedMs + spacingMs - now();
      if (delayMs <= 0 || waiting.length >= MAX_ENTRIES) {
        flush();
      } else if (!isScheduled) {
        isScheduled = true;
        schedule(() => {
          isScheduled = false;
          flush();
        }, delayMs);
      }
    },
    onReset: (next) => {
      waiting = [];
      position = next;
      for (const listener of listeners) listener.onReset(next);
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
