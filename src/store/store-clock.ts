/**
 * The store's time, ms: max(clock, last time this store used). What was once told is never taken back, so the handle
 * remembers it too: a read moves no time in the store.
 */
export function createStoreClock(clock: () => number): (lastStoreTimeMs: number) => number {
  let toldMs = 0;
  return (lastStoreTimeMs) => {
    toldMs = Math.max(toldMs, Math.floor(clock()), lastStoreTimeMs);
    return toldMs;
  };
}
