// A scripted store, because these interleavings of replies cannot be had from a real one on demand.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StoreUnavailable } from '../../src/core/errors.js';
import { createFence } from '../../src/core/fence.js';
import type { Digest, Tag } from '../../src/core/key-ring.js';
import { createReadBatcher } from '../../src/core/read-batcher.js';
import { createRevocationTable } from '../../src/core/revocation-table.js';
import type { Cursor, LoggedRevocation, Revocation, StoreRead, TokenStore } from '../../src/core/token-store.js';

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
    await store.reply({ cursor: 'c2', revocations: [revocation(5)], entries: [undefined] });
    await reading;
    assert.ok(table.isRevoked(revocation(5).tag, 0));
  });

  it('leaves out of the table what the tombstone of a token says to every read', async () => {
    const { fence, store, table } = await started();
    const reading = fence.read([digest('a')]);
    await store.reply({ cursor: 'c2', revocations: [{ ...revocation(5), kind: 'token' }], entries: [undefined] });
    await reading;
    assert.equal(table.size, 0);
  });

  it('reads again after a full page', async () => {
    const { fence, store, table } = await started();
    const reading = fence.read([digest('a')]);
    await store.reply({ cursor: 'c2', revocations: [revocation(1)], more: true, entries: [bytes('old')] });
    assert.equal(store.sent.at(-1)?.cursor, 'c2');
    await store.reply({ cursor: 'c3', revocations: [revocation(2)], entries: [bytes('new')] });
    assert.deepEqual((await reading).entries, [bytes('new')]);
    assert.ok(table.isRevoked(revocation(2).tag, 0));
  });

  it('never moves the cursor back when replies come in another order', async () => {
    const { fence, store } = await started();
    const [first, second] = [fence.read([digest('a')]), fence.read([digest('b')])];
    await store.reply({ cursor: 'c9', entries: [undefined] }, 1);
    await store.reply({ cursor: 'c5', entries: [undefined] }, 0);
    await Promise.all([first, second]);
    void fence.read([]);
    assert.equal(store.sent.at(-1)?.cursor, 'c9');
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

  it('forgets nothing in a reset: union, not replacement', async () => {
    const { fence, store, table } = await started();
    const reading = fence.read([]);
    await store.reply({ cursor: 'c2', revocations: [revocation(5)] });
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

  it('gives up on a store that only resets', async () => {
    const { fence, store } = setUp();
    store.alwaysReset = true;
    await assert.rejects(fence.read([]), StoreUnavailable);
  });
});

describe('the read batcher', () => {
  it('makes one read of a tick, and gives each caller its own entries', async () => {
    const reads: (readonly Digest[])[] = [];
    const fence = {
      read: async (digests: readonly Digest[]) => {
        reads.push(digests);
        return { entries: digests.map((d) => bytes(d)), storeTimeMs: 5 };
      },
    };
    const batcher = createReadBatcher({ fence, schedule: setImmediate });
    const answers = await Promise.all(['a', 'b', 'c'].map((d) => batcher.read([digest(d), digest(`${d}2`)])));
    assert.deepEqual(reads, [['a', 'a2', 'b', 'b2', 'c', 'c2']]);
    assert.deepEqual(answers[1], { entries: [bytes('b'), bytes('b2')], storeTimeMs: 5 });
  });

  it('lets nobody join a read that was sent', async () => {
    const sizes: number[] = [];
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const fence = {
      read: async (digests: readonly Digest[]) => {
        sizes.push(digests.length);
        await gate;
        return { entries: digests.map(() => undefined), storeTimeMs: 0 };
      },
    };
    const batcher = createReadBatcher({ fence, schedule: setImmediate });
    const first = batcher.read([digest('a')]);
    await new Promise(setImmediate);
    const second = batcher.read([digest('a')]);
    await new Promise(setImmediate);
    release();
    await Promise.all([first, second]);
    assert.deepEqual(sizes, [1, 1]);
  });

  it('fails all calls of a read that failed', async () => {
    const fence = { read: () => Promise.reject(new StoreUnavailable('down')) };
    const batcher = createReadBatcher({ fence, schedule: setImmediate });
    const outcomes = await Promise.allSettled([batcher.read([digest('a')]), batcher.read([digest('b')])]);
    assert.ok(outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason instanceof StoreUnavailable));
  });
});

type ScriptedReply = Partial<Omit<StoreRead, 'cursor'>> & { readonly cursor: string };

function setUp() {
  const waiting: ((reply: StoreRead) => void)[] = [];
  const script = {
    live: [] as Revocation[],
    failLoad: false,
    alwaysReset: false,
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
          reset: true,
          cursor: 'x' as Cursor,
        };
        return Promise.resolve(reply);
      }
      return new Promise((resolve) => waiting.push(resolve));
    },
    loadRevocations: async function* () {
      if (script.failLoad) throw new StoreUnavailable('load');
      yield script.live;
    },
    meta: () => Promise.reject(new StoreUnavailable('not needed here')),
  };
  const table = createRevocationTable();
  return { fence: createFence({ store, table }), store: script, table };
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

function revocation(value: number): LoggedRevocation {
  return {
    kind: 'tag',
    tag: Buffer.alloc(8, value) as Uint8Array as Tag,
    beforeMs: 1000,
    issuerTag: new Uint8Array(8) as Tag,
  };
}
