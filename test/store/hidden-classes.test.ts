// What is made for every entry of the log has one hidden class. V8 of Node 20 makes another one, which only a full collection
// removes, for each object literal that begins with a spread and goes on (docs/adr/0028).
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import type { Tag } from '../../src/core/key-ring.js';
import { toLog } from '../../src/store/redis-reader.js';
import { encodeLogValue } from '../../src/store/value-layout.js';

const READS = 10_000;
const TAG = Buffer.alloc(8) as Uint8Array as Tag;

test('entries of the log share a hidden class', () => {
  setFlagsFromString('--allow-natives-syntax');
  const haveSameMap = new Function('a', 'b', 'return %HaveSameMap(a, b)') as (a: object, b: object) => boolean;
  const toItem = (id: number) => [
    Buffer.from(`${id}-0`),
    [
      Buffer.from('r'),
      encodeLogValue(randomBytes(8), { kind: 'tag', tag: TAG, beforeMs: 1.7e12 + id, issuerTag: TAG }),
    ],
  ];
  const first = toItem(1);
  const cursor = toLog([first], undefined)?.cursor;
  let last: object | undefined;
  let others = 0;
  for (let read = 0; read < READS; read++) {
    const entry = toLog([first, toItem(read + 2)], cursor)?.revocations[0];
    assert.ok(entry);
    if (last !== undefined && !haveSameMap(entry, last)) others += 1;
    last = entry;
  }
  assert.ok(others < READS / 100, `${others} of ${READS} have another one`);
});
