import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StoreUnavailable } from '../../src/core/errors.js';
import type { FencedRead } from '../../src/core/fence.js';
import type { Digest } from '../../src/core/key-ring.js';
import { createReadBatcher, type ReadBatcher } from '../../src/core/read-batcher.js';

describe('the read batcher', () => {
  it('makes one read of a tick, and tells each caller where its entries are', async () => {
    const reads: (readonly Digest[])[] = [];
    const fence = {
      read: async (digests: readonly Digest[]) => {
        reads.push(digests);
        return { entries: digests.map((d) => bytes(d)), storeTimeMs: 5, leaseMs: 7 };
      },
    };
    const batcher = createReadBatcher({ fence, schedule: setImmediate });
    const answers = await Promise.all(
      ['a', 'b', 'c'].map(async (d) => {
        const start = batcher.add([digest(d), digest(`${d}2`)]);
        const read = await batcher.read();
        return { ...read, entries: read.entries.slice(start, start + 2) };
      }),
    );
    assert.deepEqual(reads, [['a', 'a2', 'b', 'b2', 'c', 'c2']]);
    assert.deepEqual(answers[1], { entries: [bytes('b'), bytes('b2')], storeTimeMs: 5, leaseMs: 7 });
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
        return { entries: digests.map(() => undefined), storeTimeMs: 0, leaseMs: 0 };
      },
    };
    const batcher = createReadBatcher({ fence, schedule: setImmediate });
    const first = ask(batcher, 'a');
    await new Promise(setImmediate);
    const second = ask(batcher, 'a');
    await new Promise(setImmediate);
    release();
    await Promise.all([first, second]);
    assert.deepEqual(sizes, [1, 1]);
  });

  it('fails all calls of a read that failed', async () => {
    const fence = { read: () => Promise.reject(new StoreUnavailable('down')) };
    const batcher = createReadBatcher({ fence, schedule: setImmediate });
    const outcomes = await Promise.allSettled([ask(batcher, 'a'), ask(batcher, 'b')]);
    assert.ok(outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason instanceof StoreUnavailable));
  });
});

function ask(batcher: ReadBatcher, text: string): Promise<FencedRead> {
  batcher.add([digest(text)]);
  return batcher.read();
}

function digest(text: string): Digest {
  return text as Digest;
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}
