import assert from 'node:assert/strict';
import type { Tag } from '../../src/core/key-ring.js';
import type { LmdbDatabases } from '../../src/store/lmdb-environment.js';
import { decodeState, encodeExpiryKey, STATE_KEY } from '../../src/store/lmdb-layout.js';
import { isUnknownTombstone } from '../../src/store/store-rules.js';
import { decodeEntry, decodeLive } from '../../src/store/value-layout.js';

/** What holds between the databases after every transaction: a row for all that expires, a true count, a whole log. */
export function assertLmdbInvariants({ entries, live, log, expiry, meta }: LmdbDatabases): void {
  const rows: string[] = [];
  let unknown = 0;
  for (const { key, value } of entries.getRange({})) {
    const entry = decodeEntry(value);
    const isUnknown = isUnknownTombstone(entry.bytes);
    if (isUnknown) unknown += 1;
    rows.push(encodeExpiryKey(isUnknown ? 'u' : 'e', entry.expiresAtMs, key).toString('hex'));
  }
  for (const { key, value } of live.getRange({})) {
    rows.push(encodeExpiryKey('l', decodeLive(key as Uint8Array as Tag, value).expiresAtMs, key).toString('hex'));
  }
  assert.deepEqual(
    [...expiry.getKeys({})].map((row) => row.toString('hex')),
    rows.sort(),
  );
  const stateBytes = meta.getBinary(STATE_KEY);
  if (stateBytes === undefined) return;
  const state = decodeState(stateBytes);
  assert.equal(state.unknownTombstones, unknown);
  const ids = [...log.getKeys({})].map((id) => id.readUIntBE(2, 6));
  assert.deepEqual(
    ids,
    ids.map((_, index) => (ids[0] ?? 0) + index),
  );
  assert.equal(ids.at(-1), state.head.readUIntBE(2, 6));
}
