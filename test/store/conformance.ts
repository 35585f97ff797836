import { describe } from 'node:test';
import { describeAwaitLog } from './conformance-await-log.js';
import { describeBounds } from './conformance-bounds.js';
import { describeExpiry } from './conformance-expiry.js';
import { describeKeys } from './conformance-keys.js';
import { describeMeta } from './conformance-meta.js';
import { describeRead } from './conformance-read.js';
import { describeRegister } from './conformance-register.js';
import { describeRevokeTag } from './conformance-revoke-tag.js';
import { describeRevokeToken } from './conformance-revoke-token.js';
import { describeStoreTime } from './conformance-store-time.js';
import type { MakeHarness, StoreHarness } from './harness.js';

/** A test body gets a fresh store, which is closed afterwards whatever happened. */
export type WithStore = (
  body: (harness: StoreHarness) => Promise<void>,
  ...args: Parameters<MakeHarness>
) => () => Promise<void>;

/** The contract of core/token-store.ts, sentence by sentence. Every engine passes it. */
export function describeTokenStore(name: string, makeHarness: MakeHarness): void {
  const withStore: WithStore = (body, changes) => async () => {
    const harness = await makeHarness(changes);
    try {
      await body(harness);
    } finally {
      await harness.close();
    }
  };
  describe(name, () => {
    describeRead(withStore);
    describeRegister(withStore);
    describeRevokeToken(withStore);
    describeRevokeTag(withStore);
    describeAwaitLog(withStore);
    describeExpiry(withStore);
    describeStoreTime(withStore);
    describeMeta(withStore);
    describeKeys(withStore);
    describeBounds(withStore);
  });
}
