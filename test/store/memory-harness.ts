import { createMemoryData } from '../../src/store/memory-data.js';
import { createMemoryTokenStore } from '../../src/store/memory-token-store.js';
import { type MakeHarness, makeOptions, START_MS, type StoreHarness } from './harness.js';

export const makeMemoryHarness: MakeHarness = async (changes) => {
  const data = createMemoryData();
  const clock = { clockMs: START_MS };
  const open = (more = changes) => createMemoryTokenStore(makeOptions(clock, { ...changes, ...more }), data);
  let store = open();
  const harness: StoreHarness = {
    get store() {
      return store;
    },
    get clockMs() {
      return clock.clockMs;
    },
    set clockMs(clockMs) {
      clock.clockMs = clockMs;
    },
    reopen: async (more) => {
      await store.close();
      store = open(more);
    },
    openSecond: async (more) => open(more),
    wipe: async () => {
      data.settings = undefined;
      data.lastStoreTimeMs = 0;
      data.lastLogId = 0;
      data.log.length = 0;
      for (const map of [data.entries, data.unknown, data.live]) map.clear();
    },
    trim: async () => void data.log.splice(0, data.log.length - 1),
    assertSound: async () => undefined,
    close: () => store.close(),
  };
  return harness;
};
