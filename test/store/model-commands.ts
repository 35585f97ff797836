// The commands of the model test: each does one thing to the engine and to the model, and compares what they say.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeEntry } from '../../src/core/entry.js';
import type { KeyRing, TagKind } from '../../src/core/key-ring.js';
import { type Cursor, END_OF_TIME_MS, type TokenStore } from '../../src/core/token-store.js';
import {
  digestOf,
  ISSUER_TAG,
  loadAll,
  makeEntry,
  makeRevoke,
  type TokenClaims,
  tagOf,
  toRevocations,
} from './fixtures.js';
import { HOUR_MS, LEASE_MS, MAX_TOKEN_TTL_MS, RING, ROTATED_RING, START_MS, type StoreHarness } from './harness.js';
import { describeEntry, type StoreModel } from './model.js';

/** The engine: the handle under test, and another one on the same store. */
export interface Real {
  readonly harness: StoreHarness;
  ring: KeyRing;
  second: TokenStore | undefined;
}

type StoreCommand = fc.AsyncCommand<StoreModel, Real>;

const TOKENS = ['t0', 't1', 't2', 't3'] as const;
const CLAIMS: readonly TokenClaims[] = [
  {},
  { scope: 'write', jti: 'j', session: 's' },
  { tokenUse: 'refresh_token', grant: 'g' },
  { grant: 'g', client: 'c' },
  { tokenUse: 'refresh_token', grant: 'h', session: 's' },
];
const TAGS: readonly (readonly [TagKind, string])[] = [
  ['jti', 'j'],
  ['grant', 'g'],
  ['session', 's'],
  ['client', 'c'],
  ['issuer', ''],
];
const STEPS_MS = [1, 1000, LEASE_MS, HOUR_MS, MAX_TOKEN_TTL_MS, MAX_TOKEN_TTL_MS + LEASE_MS];
const LIFETIMES_MS = [1000, HOUR_MS, MAX_TOKEN_TTL_MS, MAX_TOKEN_TTL_MS + 2 * HOUR_MS];

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const describeBytes = (bytes: Uint8Array | undefined) => bytes && describeEntry(decodeEntry(bytes));

function command(name: string, run: (model: StoreModel, real: Real) => Promise<void>): StoreCommand {
  return { check: () => true, run, toString: () => name };
}

async function handleOf(real: Real, handle: number, model: StoreModel): Promise<TokenStore> {
  if (handle === 0) return real.harness.store;
  if (real.second === undefined) {
    model.open(1);
    real.second = await real.harness.openSecond({ keyChecks: real.ring.checks });
  }
  return real.second;
}

const handles = fc.integer({ min: 0, max: 1 });
const tokens = fc.constantFrom(...TOKENS);

const register = fc
  .tuple(
    handles,
    fc.array(
      fc.record({ token: tokens, claims: fc.constantFrom(...CLAIMS), lifetimeMs: fc.constantFrom(...LIFETIMES_MS) }),
      {
        minLength: 1,
        maxLength: 3,
      },
    ),
  )
  .map(([handle, items]) =>
    command(`register ${handle} ${JSON.stringify(items)}`, async (model, real) => {
      const store = await handleOf(real, handle, model);
      // By the hour, so that a registration can be repeated: equal within the hour, different after it.
      const hourMs = START_MS + Math.floor((model.clockMs - START_MS) / HOUR_MS) * HOUR_MS;
      const entries = items.map(({ token, claims, lifetimeMs }) =>
        makeEntry(token, { ...claims, claimedIssueMs: hourMs, expMs: hourMs + lifetimeMs }, real.ring),
      );
      const expected = model.register(handle, entries);
      assert.deepEqual(await store.register(entries), expected);
    }),
  );

const revokeToken = fc.tuple(handles, tokens, fc.constantFrom(1, 2, 100)).map(([handle, token, max]) =>
  command(`revokeToken ${handle} ${token} ${max}`, async (model, real) => {
    const store = await handleOf(real, handle, model);
    const revoke = makeRevoke(token, real.ring, max);
    const expected = model.revokeToken(handle, revoke);
    const result = await store.revokeToken(revoke);
    assert.equal(result.outcome, expected === undefined ? 'exhausted' : 'revoked');
    if (result.outcome === 'exhausted') return;
    assert.deepEqual(describeBytes(result.replaced), expected?.replaced);
    model.rememberEnd(result.revision);
  }),
);

const befores = fc.constantFrom(undefined, END_OF_TIME_MS, START_MS - 1, START_MS + HOUR_MS);
const revokeTag = fc.tuple(handles, fc.constantFrom(...TAGS), befores).map(([handle, [kind, value], beforeMs]) =>
  command(`revokeTag ${handle} ${kind} ${beforeMs}`, async (model, real) => {
    const store = await handleOf(real, handle, model);
    const revoke = { tag: tagOf(kind, value), issuerTag: ISSUER_TAG, beforeMs };
    const expectedMs = model.revokeTag(handle, revoke);
    const result = await store.revokeTag(revoke);
    assert.equal(result.beforeMs, expectedMs);
    model.rememberEnd(result.revision);
  }),
);

const read = fc.tuple(handles, fc.double({ min: 0, max: 1, noNaN: true })).map(([handle, choice]) =>
  command(`read ${handle} ${choice}`, async (model, real) => {
    const store = await handleOf(real, handle, model);
    const known: readonly (Cursor | undefined)[] = [undefined, ...model.cursors, 'stranger' as Cursor];
    const cursor = known[Math.floor(choice * known.length)];
    const digests = [RING, ROTATED_RING].flatMap((ring) => TOKENS.map((token) => digestOf(token, ring)));
    const expected = model.read(handle, digests, cursor);
    const { entries, revocations, cursor: end, more, leaseMs, ...rest } = await store.read(digests, cursor);
    assert.equal(leaseMs, LEASE_MS);
    const said = { revocations: toRevocations(revocations), entries: entries.map(describeBytes) };
    assert.deepEqual({ ...rest, ...said }, expected);
    if (revocations.length > 0) assert.equal(revocations.at(-1)?.cursor, end);
    assert.equal(more, false);
    model.rememberEnd(end);
  }),
);

const loadRevocations = handles.map((handle) =>
  command(`loadRevocations ${handle}`, async (model, real) => {
    const store = await handleOf(real, handle, model);
    const expected = model.loadRevocations(handle);
    const sorted = (all: typeof expected) =>
      all.map((one) => ({ ...one, tag: hex(one.tag) })).sort((a, b) => (a.tag < b.tag ? -1 : 1));
    assert.deepEqual(sorted((await loadAll(store)).flat()), sorted(expected));
  }),
);

const moveClock = fc
  .oneof(
    { weight: 3, arbitrary: fc.constantFrom(...STEPS_MS) },
    { weight: 1, arbitrary: fc.constantFrom(...STEPS_MS.map((step) => -step)) },
  )
  .map((step) =>
    command(`moveClock ${step}`, async (model, real) => {
      model.clockMs = Math.max(START_MS, model.clockMs + step);
      real.harness.clockMs = model.clockMs;
    }),
  );

const reopen = fc.boolean().map((rotate) =>
  command(`reopen ${rotate ? 'with a new writing key' : ''}`, async (model, real) => {
    const { lastStoreTimeMs } = await real.harness.store.meta();
    model.touch(0);
    assert.equal(lastStoreTimeMs, model.lastStoreTimeMs);
    if (rotate && real.ring === RING) {
      await real.second?.close();
      [real.ring, real.second] = [ROTATED_RING, undefined];
    }
    await real.harness.reopen({ keyChecks: real.ring.checks });
    model.open(0);
  }),
);

const wipe = fc.constant(
  command('wipe', async (model, real) => {
    model.wipe();
    await real.harness.wipe();
  }),
);

const trim = fc.constant(
  command('trim', async (model, real) => {
    model.trim();
    await real.harness.trim();
  }),
);

export const storeCommands = [
  register,
  register,
  register,
  revokeToken,
  revokeToken,
  revokeTag,
  read,
  read,
  read,
  loadRevocations,
  moveClock,
  moveClock,
  reopen,
  wipe,
  trim,
];
