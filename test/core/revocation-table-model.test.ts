// The table against a plain Map, through growth, expiry in the middle of growth, merges and tags that crowd one place.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Tag } from '../../src/core/key-ring.js';
import { createRevocationTable, type RevocationTable } from '../../src/core/revocation-table.js';
import { END_OF_TIME_MS, type Revocation } from '../../src/core/token-store.js';

/** What the table may say: exactly one of both numbers, but for what a pass of expiry is about to forget. */
interface Known {
  readonly atLeastMs: number;
  readonly atMostMs: number;
  readonly seenMs: number;
}

interface World {
  readonly table: RevocationTable;
  readonly model: Map<string, Known>;
  nowMs: number;
  /** Of the pass that is under way. */
  seenBeforeMs: number | undefined;
}

const { INTROSPECTD_MODEL_RUNS } = process.env;
const RUNS = Number(INTROSPECTD_MODEL_RUNS ?? 100);
const NO_ISSUER = new Uint8Array(8) as Tag;
const SAMPLE = 200;

/** Bits that nobody chose, as tags have them; many under the same first bits; and many with the same place in a page. */
const FAMILIES = {
  hashed: (index) => createHash('sha256').update(`${index}`).digest().subarray(0, 8),
  first: (index) => Buffer.from(`deadbeef${hex(hash(index))}`, 'hex'),
  place: (index) => Buffer.from(`${hex(hash(index))}${hex(index % 3)}`, 'hex'),
  small: (index) => Buffer.from(`00000000${hex(index)}`, 'hex'),
} satisfies Record<string, (index: number) => Buffer>;

describe('the revocation table says what a map would', () => {
  it('whatever is applied, forgotten and asked', () => {
    const operations = fc.array(
      fc.oneof(
        { weight: 5, arbitrary: applications },
        { weight: 2, arbitrary: steps },
        { weight: 1, arbitrary: passes },
      ),
      { minLength: 1, maxLength: 25 },
    );
    fc.assert(
      fc.property(operations, (list) => {
        const world: World = {
          table: createRevocationTable(),
          model: new Map(),
          nowMs: 1_000_000,
          seenBeforeMs: undefined,
        };
        for (const operation of list) {
          operation.run(world);
          compare(world, SAMPLE);
        }
        endPass(world);
        compare(world, Number.POSITIVE_INFINITY);
      }),
      { numRuns: RUNS },
    );
  });
});

const applications = fc
  .record({
    family: fc.constantFrom(...(Object.keys(FAMILIES) as (keyof typeof FAMILIES)[])),
    start: fc.integer({ min: 0, max: 4000 }),
    count: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1000, max: 6000 })),
    before: fc.oneof(
      fc.constantFrom(0, 1, 2 ** 32, END_OF_TIME_MS - 1, END_OF_TIME_MS),
      fc.nat({ max: END_OF_TIME_MS }),
    ),
    passedMs: fc.integer({ min: 0, max: 5000 }),
  })
  .map(({ family, start, count, before, passedMs }) => ({
    run: (world: World) => {
      world.nowMs += passedMs;
      // The crowds cost a look at each of them, every time.
      const many = family === 'hashed' ? count : Math.min(count, 1500);
      const revocations = Array.from({ length: many }, (_, index) => {
        const tag = FAMILIES[family](start + index) as Uint8Array as Tag;
        return { tag, beforeMs: Math.max(0, before - (index % 3)), issuerTag: NO_ISSUER };
      });
      world.table.apply(revocations, world.nowMs);
      for (const revocation of revocations) know(world, revocation);
    },
    toString: () => `apply ${count} of ${family} from ${start}, before ${before}, after ${passedMs} ms`,
  }));

const steps = fc.integer({ min: 1000, max: 12_000 }).map((ageMs) => ({
  run: (world: World) => void step(world, ageMs),
  toString: () => `a step of expiry, of what is ${ageMs} ms old`,
}));

const passes = fc.integer({ min: 1000, max: 12_000 }).map((ageMs) => ({
  run: (world: World) => {
    endPass(world);
    while (!step(world, ageMs));
  },
  toString: () => `a pass of expiry, of what is ${ageMs} ms old`,
}));

function know({ model, nowMs, seenBeforeMs = 0 }: World, { tag, beforeMs }: Revocation): void {
  const key = Buffer.from(tag).toString('hex');
  const known = model.get(key) ?? { atLeastMs: 0, atMostMs: 0, seenMs: 0 };
  const mayBeGone = isDead(known, seenBeforeMs);
  model.set(key, {
    atLeastMs: Math.max(mayBeGone ? 0 : known.atLeastMs, beforeMs),
    atMostMs: Math.max(known.atMostMs, beforeMs),
    seenMs: nowMs,
  });
}

/** A pass goes on with the age that it began with. True when it is through. */
function step(world: World, ageMs: number): boolean {
  world.seenBeforeMs ??= world.nowMs - ageMs;
  const { table, model, seenBeforeMs } = world;
  if (!table.expire(seenBeforeMs)) return false;
  for (const [key, known] of model) {
    if (isDead(known, seenBeforeMs)) model.delete(key);
  }
  world.seenBeforeMs = undefined;
  return true;
}

function endPass(world: World): void {
  while (world.seenBeforeMs !== undefined && !step(world, 0));
}

function isDead({ seenMs }: Known, seenBeforeMs: number): boolean {
  return Math.ceil(seenMs / 1000) < Math.floor(seenBeforeMs / 1000);
}

function compare({ table, model, seenBeforeMs }: World, limit: number): void {
  const mustStay = [...model.values()].filter((known) => !isDead(known, seenBeforeMs ?? 0)).length;
  assert.ok(table.size >= mustStay && table.size <= model.size, `${table.size}: ${mustStay} .. ${model.size}`);
  const stride = Math.max(1, Math.floor(model.size / limit));
  let index = 0;
  for (const [key, known] of model) {
    if (index++ % stride !== 0) continue;
    const tag = Buffer.from(key, 'hex');
    assert.ok(isDead(known, seenBeforeMs ?? 0) || table.isRevoked(tag, known.atLeastMs), `${key} is known`);
    assert.ok(!table.isRevoked(tag, known.atMostMs + 1), `${key} is not broader`);
    tag.writeUInt32BE((tag.readUInt32BE() ^ 0x0000_0100) >>> 0);
    const neighbour = model.get(tag.toString('hex'));
    if (neighbour === undefined) assert.ok(!table.isRevoked(tag, 0), `${key} is no other`);
  }
}

function hash(index: number): number {
  return createHash('sha256').update(`${index}`).digest().readUInt32BE();
}

function hex(word: number): string {
  return word.toString(16).padStart(8, '0');
}
