// The table that stands in for node:http2's Map, against a Map.
import assert from 'node:assert/strict';
import type { ServerHttp2Stream } from 'node:http2';
import { test } from 'node:test';
import fc from 'fast-check';
import { StreamTable } from '../../src/grpc/stream-table.js';

type Step = readonly ['set' | 'delete' | 'clear', number];

const STEP: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom('set', 'set', 'set', 'delete', 'delete', 'clear'),
  fc.integer({ min: 1, max: 12 }),
);

function toStream(id: number, turn: number): ServerHttp2Stream {
  return { id, turn } as unknown as ServerHttp2Stream;
}

test('holds what a Map holds', () => {
  fc.assert(
    fc.property(fc.array(STEP, { maxLength: 60 }), (steps) => {
      const [table, map] = [new StreamTable(), new Map<number, ServerHttp2Stream>()];
      for (const [turn, [kind, id]] of steps.entries()) {
        const stream = toStream(id, turn);
        if (kind === 'set') for (const one of [table, map]) one.set(id, stream);
        else if (kind === 'clear') for (const one of [table, map]) one.clear();
        else assert.equal(table.delete(id), map.delete(id));
        assert.equal(table.size, map.size);
        assert.equal(table.has(id), map.has(id));
        assert.equal(table.get(id), map.get(id));
        assert.deepEqual(new Map(table), map);
        assert.deepEqual(new Set(table.keys()), new Set(map.keys()));
        assert.deepEqual(new Set(table.values()), new Set(map.values()));
      }
    }),
    { numRuns: 500 },
  );
});

test('all are visited, also when a visit takes them away', () => {
  const table = new StreamTable();
  for (let id = 1; id <= 5; id++) table.set(id, toStream(id, 0));
  const visited: number[] = [];
  table.forEach((_, id) => {
    visited.push(id);
    table.delete(id);
  });
  assert.deepEqual(visited.sort(), [1, 2, 3, 4, 5]);
  assert.equal(table.size, 0);
});
