// A scripted store, because these interleavings of replies cannot be had from a real one on demand.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StoreUnavailable } from '../../src/core/errors.js';
import { createFence } from '../../src/core/fence.js';
import type { Digest, Tag } from '../../src/core/key-ring.js';
import { createRevocationTable } from '../../src/core/revocation-table.js';
import type { Cursor, LogEntry, Revocation, StoreMeta, StoreRead, TokenStore } from '../../src/core/token-store.js';

describe('the fence', () => {
  it('starts with a reset: loads the live revocations, then answers from a read that began after', async () => {
    const { fence, store, table } = setUp();
    store.live.push(revocation(9));
    const reading = fence.read([digest('a')]);
    await store.reply({ cursor: 'c1', reset: true, entries: [bytes('stale')] });
    assert.equal(store.sent.at(-1)?.cursor, 'c1');
    await store.reply({ cursor: 'c1', entries: [bytes('fresh')] });
    assert.deepEqual((await reading).entries, [bytes('fresh')]);
    assert.ok(table.isRevoked(revocation(9).tag, 0));
  });

  it('knows what the log said before the answer is out', async () => {
    const { fence, store, table } = await started();
    const reading = fence.read([digest('a')]);
    await store.reply({ cursor: 'c5', revocations: [revocation(5)], entries: [undefined] });
    await reading;
    assert.ok(table.isRevoked(revocation(5).tag, 0));
  });

  it('leaves out of the table what the tombstone of a token says to every read', async () => {
    const { fence, store, table } = await started();
    const reading = fence.read([digest('a')]);
    await store.reply({ cursor: 'c5', revocations: [{ ...revocation(5), kind: 'token' }], entries: [undefined] });
    await reading;
    assert.equal(table.size, 0);
  });

  it('reads again after a full page', async () => {
    const { fence, store, table } = await started();
    const reading = fence.read([digest('a')]);
    await store.reply({ cursor: 'c2', revocations: [revocation(2)], more: true, entries: [bytes('old')] });
    assert.equal(store.sent.at(-1)?.cursor, 'c2');
    await store.reply({ cursor: 'c3', revocations: [revocation(3)], entries: [bytes('new')] });
    assert.deepEqual((await reading).entries, [bytes('new')]);
    assert.ok(table.isRevoked(revocation(3).tag, 0));
  });

  it('never moves the cursor back when replies come in another order, and reads again what came too late', async () => {
    const { fence, store, told } = await started();
    const [first, second] = [fence.read([digest('a')]), fence.read([digest('b')])];
    await store.reply({ cursor: 'c3', revocations: [revocation(2), revocation(3)], entries: [undefined] }, 1);
    assert.equal(fence.position, 'c3');
    await store.reply({ cursor: 'c2', revocations: [revocation(2)], entries: [bytes('late')] }, 0);
    assert.equal(store.sent.at(-1)?.cursor, 'c3');
    await store.reply({ cursor: 'c3', entries: [bytes('again')] });
    assert.deepEqual((await first).entries, [bytes('again')]);
    await second;
    assert.equal(fence.position, 'c3');
    assert.deepEqual(told, ['reset c1', 'c2 c3']);
  });

  it('tells each entry once, in the order of the log, whatever the replies to reads at the same time have in common', async () => {
    const { fence, store, told } = await started();
    const reads = [1, 2, 3, 4].map(() => fence.read([]));
    await store.reply({ cursor: 'c3', revocations: [revocation(2), revocation(3)] });
    await store.reply({ cursor: 'c3', revocations: [revocation(2), revocation(3)] });
    await store.reply({ cursor: 'c5', revocations: [2, 3, 4, 5].map(revocation) });
    await store.reply({ cursor: 'c6', revocations: [2, 3, 4, 5, 6].map(revocation), more: true });
    await store.reply({ cursor: 'c7', revocations: [revocation(7)] });
    await Promise.all(reads);
    assert.deepEqual(told, ['reset c1', 'c2 c3', 'c4 c5', 'c6', 'c7']);
  });

  it('tells a reset once the revocations are loaded, and goes on after it', async () => {
    const { fence, store, told } = await started();
    const reading = fence.read([]);
    await store.reply({ cursor: 'd1', reset: true });
    await store.reply({ cursor: 'd2', revocations: [{ ...revocation(9), cursor: 'd2' as Cursor }] });
    await reading;
    assert.deepEqual(told, ['reset c1', 'reset d1', 'd2']);
  });

  it('tells of no reset while the revocations cannot be loaded', async () => {
    const { fence, store, told } = await started();
    store.failLoad = true;
    const reading = fence.read([]);
    await Promise.all([store.reply({ cursor: 'd1', reset: true }), assert.rejects(reading, StoreUnavailable)]);
    assert.deepEqual([told, fence.position], [['reset c1'], 'c1']);
  });

  it('discards and retries what was sent before a reset', async () => {
    const { fence, store } = await started();
    const [first, second] = [fence.read([digest('a')]), fence.read([digest('b')])];
    await store.reply({ cursor: 'd1', reset: true, entries: [undefined] }, 0);
    await store.reply({ cursor: 'c5', entries: [bytes('before the reset')] }, 0);
    for (const answer of ['one', 'two']) await store.reply({ cursor: 'd1', entries: [bytes(answer)] }, 0);
    const answers = (await Promise.all([first, second])).flatMap(({ entries }) => entries).map((b) => String(b));
    assert.ok(!answers.includes(String(bytes('before the reset'))));
    assert.ok(store.sent.slice(-2).every(({ cursor }) => cursor === 'd1'));
  });

  it('believes no answer that comes while the revocations are being loaded', async () => {
    const { fence, store, told } = await started();
    const [first, second] = [fence.read([]), fence.read([digest('b')])];
    const loaded = store.holdLoad();
    await store.reply({ cursor: 'd1', reset: true }, 0);
    await store.reply({ cursor: 'c1', entries: [bytes('before the reset')] });
    assert.equal(store.waiting(), 0);
    loaded();
    for (const answer of ['one', 'two']) await store.reply({ cursor: 'd1', entries: [bytes(answer)] }, 0);
    await first;
    assert.notDeepEqual((await second).entries, [bytes('before the reset')]);
    assert.deepEqual(told, ['reset c1', 'reset d1']);
  });

  it('makes one reset of what several replies say', async () => {
    const { fence, store, told } = await started();
    const reads = [fence.read([]), fence.read([])];
    await store.reply({ cursor: 'd1', reset: true }, 0);
    await store.reply({ cursor: 'd2', reset: true }, 0);
    for (let read = 0; read < 2; read++) await store.reply({ cursor: 'd1' });
    await Promise.all(reads);
    assert.deepEqual(told, ['reset c1', 'reset d1']);
  });

  it('forgets nothing in a reset: union, not replacement', async () => {
    const { fence, store, table } = await started();
    const reading = fence.read([]);
    await store.reply({ cursor: 'c5', revocations: [revocation(5)] });
    await reading;
    const again = fence.read([]);
    await store.reply({ cursor: 'd1', reset: true });
    await store.reply({ cursor: 'd1' });
    await again;
    assert.ok(table.isRevoked(revocation(5).tag, 0));
  });

  it('fails the reads that needed a reload which failed, and recovers with the next', async () => {
    const { fence, store } = setUp();
    store.failLoad = true;
    const reading = fence.read([]);
    await Promise.all([store.reply({ cursor: 'c1', reset: true }), assert.rejects(reading, StoreUnavailable)]);
    store.failLoad = false;
    const again = fence.read([]);
    await store.reply({ cursor: 'c1', reset: true });
    await store.reply({ cursor: 'c1', entries: [] });
    await again;
  });

  it('forgets what the store says is over, a step a read, and nothing while it cannot say', async () => {
    const { fence, store, table } = await started();
    const readAt = async (storeTimeMs: number, revocations: readonly LogEntry[] = []) => {
      const reading = fence.read([]);
      const cursor = revocations.at(-1)?.cursor ?? fence.position ?? '';
      await store.reply({ cursor, revocations, storeTimeMs });
      await reading;
    };
    await readAt(1_000_000, [revocation(5)]);
    for (let read = 0; read < 300; read++) await readAt(10_000_000);
    assert.equal(table.size, 1);
    store.revocationsOverMs = 1_100_000;
    for (let read = 0; read < 300; read++) await readAt(20_000_000);
    assert.equal(table.size, 0);
  });

  it('gives up on a store that only resets', async () => {
    const { fence, store } = setUp();
    store.alwaysReset = true;
    await assert.rejects(fence.read([]), StoreUnavailable);
  });
});

const META: StoreMeta = {
  storeId: 'scripted',
  partitions: 1,
  tagKeyCheck: '',
  digestKeys: [],
  maxTokenTtlMs: 0,
  leaseMs: 0,
  isChanging: false,
  revocationsOverMs: 0,
  lastStoreTimeMs: 0,
};

type ScriptedReply = Partial<Omit<StoreRead, 'cursor'>> & { readonly cursor: string };

function setUp() {
  const waiting: ((reply: StoreRead) => void)[] = [];
  const script = {
    live: [] as Revocation[],
    failLoad: false,
    /** As the meta says it; 0 while the store cannot tell. */
    revocationsOverMs: 0,
    alwaysReset: false,
    load: Promise.resolve(),
    /** From now on loading takes until the result is called. */
    holdLoad: () => {
      let done = () => {};
      script.load = new Promise<void>((resolve) => {
        done = resolve;
      });
      return done;
    },
    /** How many reads wait for an answer. */
    waiting: () => waiting.length,
    sent: [] as { cursor: Cursor | undefined }[],
    /** Answers the read that waits at `index`, once it is there; settles when the fence has seen the answer. */
    reply: async ({ cursor, ...rest }: ScriptedReply, index = 0) => {
      await turns();
      const [resolve] = waiting.splice(index, 1);
      assert.ok(resolve, 'a read waits');
      resolve({
        entries: [],
        revocations: [],
        reset: false,
        more: false,
        storeTimeMs: 0,
        leaseMs: 0,
        ...rest,
        cursor: cursor as Cursor,
      });
      await turns();
    },
  };
  const store: Pick<TokenStore, 'read' | 'loadRevocations' | 'meta'> = {
    read: (_digests, cursor) => {
      script.sent.push({ cursor });
      if (script.alwaysReset) {
        const reply = {
          entries: [],
          revocations: [],
          more: false,
          storeTimeMs: 0,
          leaseMs: 0,
          reset: true,
          cursor: 'x' as Cursor,
        };
        return Promise.resolve(reply);
      }
      return new Promise((resolve) => waiting.push(resolve));
    },
    loadRevocations: async function* () {
      await script.load;
      if (script.failLoad) throw new StoreUnavailable('load');
      yield script.live;
    },
    meta: async () => ({ ...META, revocationsOverMs: script.revocationsOverMs }),
  };
  const table = createRevocationTable();
  const told: string[] = [];
  const listener = {
    onEntries: (entries: readonly LogEntry[]) => void told.push(entries.map(({ cursor }) => cursor).join(' ')),
    onReset: (position: Cursor) => void told.push(`reset ${position}`),
  };
  return { fence: createFence({ store, table, listener }), store: script, table, told };
}

async function started() {
  const parts = setUp();
  const reading = parts.fence.read([]);
  await parts.store.reply({ cursor: 'c1', reset: true });
  await parts.store.reply({ cursor: 'c1' });
  await reading;
  return parts;
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
}

function digest(text: string): Digest {
  return text as Digest;
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

/** The entry of the log that `c<value>` stands on. */
function revocation(value: number): LogEntry {
  return {
    cursor: `c${value}` as Cursor,
    kind: 'tag',
    tag: Buffer.alloc(8, value) as Uint8Array as Tag,
    beforeMs: 1000,
    issuerTag: new Uint8Array(8) as Tag,
  };
}
