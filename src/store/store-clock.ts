/** The store's time, ms, given the last time that the store used. */
export type StoreClock = (lastStoreTimeMs: number) => number;

/** max(clock, last time used). A handle remembers what it told: it never steps back, although a read writes nothing. */
export function createStoreClock(clock: () => number): StoreClock {
  let toldMs = 0;
  return (lastStoreTimeMs) => {
    toldMs = Math.max(toldMs, Math.floor(clock()), lastStoreTimeMs);
    return toldMs;
  };
}
