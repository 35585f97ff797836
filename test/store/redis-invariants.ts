import assert from 'node:assert/strict';
import type { Redis } from 'ioredis';
import type { Tag } from '../../src/core/key-ring.js';
import type { RedisKeys } from '../../src/store/redis-keys.js';
import { isUnknownTombstone } from '../../src/store/store-rules.js';
import { decodeEntry, decodeLive } from '../../src/store/value-layout.js';

/** What holds after every write: all but the store's own keys expire, the sorted sets tell when, and the log is there. */
export async function assertRedisInvariants(admin: Redis, keys: RedisKeys, found: readonly string[]): Promise<void> {
  const own = [keys.meta, keys.log, keys.live, keys.liveExpiry, keys.unknown];
  const storeTimeMs = Number(await admin.hget(keys.meta, 'time'));
  const unknown = new Map<string, number>();
  for (const key of found) {
    const expires = await admin.pexpiretime(key);
    if (own.includes(key)) {
      assert.equal(expires, -1, `${key} does not expire`);
      continue;
    }
    assert.ok(expires > 0, `${key} expires`);
    const value = await admin.getBuffer(key);
    assert.ok(value);
    const entry = decodeEntry(value);
    if (isUnknownTombstone(entry.bytes) && entry.expiresAtMs > storeTimeMs) unknown.set(key, entry.expiresAtMs);
  }
  const rows = await readSet(admin, keys.unknown);
  for (const [key, endMs] of unknown) assert.equal(rows.get(key), endMs, 'an unknown tombstone is counted');
  const live = await admin.hgetallBuffer(keys.live);
  const ends = new Map<string, number>();
  for (const [tag, value] of Object.entries(live)) {
    ends.set(tag, decodeLive(Buffer.from(tag) as Uint8Array as Tag, value).expiresAtMs);
  }
  assert.deepEqual([...ends.values()].sort(), [...(await readSet(admin, keys.liveExpiry)).values()].sort());
  if (found.includes(keys.meta)) assert.ok((await admin.xlen(keys.log)) > 0, 'the log is never empty');
}

async function readSet(admin: Redis, key: string): Promise<Map<string, number>> {
  const flat = await admin.zrange(key, '0', '-1', 'WITHSCORES');
  const rows = new Map<string, number>();
  for (let index = 0; index + 1 < flat.length; index += 2) rows.set(flat[index] ?? '', Number(flat[index + 1]));
  return rows;
}
