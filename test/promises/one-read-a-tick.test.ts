// DESIGN §7: the unary reads of one tick go to the store as one read. Counted on a real server over real TLS and LMDB.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { startInProcessDaemon } from '../support/in-process-daemon.js';

const CALLS = 100;

describe('concurrent calls', () => {
  it(`${CALLS} Introspects at once make at most 3 store reads`, async () => {
    let reads = 0;
    const daemon = await startInProcessDaemon((store) => ({
      ...store,
      read: (digests, cursor) => {
        if (digests.length > 0) reads++;
        return store.read(digests, cursor);
      },
    }));
    after(() => daemon.stop());
    const client = daemon.client('orders');
    await client.introspect('warm-up');
    reads = 0;
    const answers = await Promise.all(Array.from({ length: CALLS }, (_, index) => client.introspect(`token-${index}`)));
    assert.equal(answers.length, CALLS);
    assert.ok(reads >= 1 && reads <= 3, `${reads} store reads`);
  });
});
