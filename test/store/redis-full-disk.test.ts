// The append-only file of Redis on a disk without room, made real by a small file system. What was acknowledged is there
// when there is room again; what was not is an error, and its retry works.
import assert from 'node:assert/strict';
import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { StoreUnavailable } from '../../src/core/errors.js';
import { REDIS_MISSING } from '../support/redis-server.js';
import { digestOf, makeRevoke } from './fixtures.js';
import { assertRecovers, assertUnavailable, live, type Stage, setUp, WRITE_ANSWER_MS } from './redis-fault-stage.js';
import { mountSmall } from './small-file-system.js';

/** The last page of the file has room for a few revocations of these. */
const NAMES = Array.from({ length: 60 }, (_, index) => `t${index}`);
const KIND = { record: 1, tombstone: 2 } as const;
/** Redis tries to write again every second. */
const RECOVERY_MS = 5000;

interface FullDisk extends Stage {
  /** In order; the revocations of all others were not tried. */
  readonly acknowledged: readonly string[];
  readonly refused: string;
  readonly detail: string;
  readonly makeRoom: () => void;
}

/** Revokes until the disk is full, and refuses. */
async function fillDisk(t: TestContext, appendfsync: string): Promise<FullDisk | undefined> {
  const disk = mountSmall(t, '400k');
  if (disk === undefined) return undefined;
  const stage = await setUp(t, ['--dir', disk, '--appendonly', 'yes', '--appendfsync', appendfsync]);
  await stage.store.register(NAMES.map((name) => live(name)));
  const filler = join(disk, 'filler');
  assert.throws(() => {
    for (;;) appendFileSync(filler, Buffer.alloc(1024));
  }, /ENOSPC/);
  const acknowledged: string[] = [];
  for (const name of NAMES) {
    try {
      await stage.store.revokeToken(makeRevoke(name));
      acknowledged.push(name);
    } catch (error) {
      assert.ok(error instanceof StoreUnavailable, String(error));
      return { ...stage, acknowledged, refused: name, detail: error.detail, makeRoom: () => rmSync(filler) };
    }
  }
  throw new Error('the disk is never full');
}

const kindsOf = async ({ store, cursor }: Stage, names: readonly string[]) => {
  if (names.length === 0) return [];
  return (
    await store.read(
      names.map((name) => digestOf(name)),
      cursor,
    )
  ).entries.map((entry) => entry?.[0]);
};

async function untilRevoked({ store }: Stage, name: string): Promise<void> {
  const endMs = performance.now() + RECOVERY_MS;
  for (;;) {
    try {
      assert.equal((await store.revokeToken(makeRevoke(name))).outcome, 'revoked');
      return;
    } catch (error) {
      assert.ok(error instanceof StoreUnavailable && performance.now() < endMs, String(error));
      await sleep(20);
    }
  }
}

describe('an append-only file without room', { skip: REDIS_MISSING }, () => {
  test('appendfsync everysec: writes are refused with the reason, reads go on, and it recovers by itself', async (t) => {
    const full = await fillDisk(t, 'everysec');
    if (full === undefined) return;
    assert.match(full.detail, /cannot save its data: check its disk/);
    await assertUnavailable(() => full.store.revokeToken(makeRevoke('a')), /check its disk/, WRITE_ANSWER_MS);
    await assertUnavailable(() => full.store.register([live('new')]), /check its disk/, WRITE_ANSWER_MS);
    assert.deepEqual(await kindsOf(full, ['a', full.refused, 'new']), [KIND.record, KIND.record, undefined]);
    full.makeRoom();
    await untilRevoked(full, full.refused);
    await full.redis.restart('SIGKILL');
    await assertRecovers(full, (entry) => entry?.[0] === KIND.record);
    const dead = [...full.acknowledged, full.refused];
    assert.deepEqual(
      await kindsOf(full, dead),
      dead.map(() => KIND.tombstone),
    );
  });

  test('appendfsync always: Redis ends before it acknowledges, and what it acknowledged is there after it', async (t) => {
    const full = await fillDisk(t, 'always');
    if (full === undefined) return;
    await assertUnavailable(() => full.store.revokeToken(makeRevoke(full.refused)));
    full.makeRoom();
    await full.redis.restart();
    await assertRecovers(full, (entry) => entry?.[0] === KIND.record);
    assert.deepEqual(
      await kindsOf(full, full.acknowledged),
      full.acknowledged.map(() => KIND.tombstone),
    );
    await untilRevoked(full, full.refused);
    assert.deepEqual(await kindsOf(full, [full.refused]), [KIND.tombstone]);
  });
});
