// The commands of the model test: each does one thing to the engine and to the model, and compares what they say.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeEntry } from '../../src/core/entry.js';
import type { TagKind } from '../../src/core/key-ring.js';
import { type Cursor, END_OF_TIME_MS } from '../../src/core/token-store.js';
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
import { HOUR_MS, LEASE_MS, MAX_TOKEN_TTL_MS, RING, RINGS, ROTATED_RING, START_MS } from './harness.js';
import { describeEntry, type StoreModel } from './model.js';
import { command, count, getServer, REFUSED, SERVER_AHEAD_MS, start, step, tryWith } from './model-step.js';

const TOKENS = ['t0', 't1', 't2', 't3'] as const;
const CLAIMS: readonly TokenClaims[] = [
  {},
  { scope: 'write', jti: 'j', session: 's' },
  { tokenUse: 'refresh_token', grant: 'g' },
  { grant: 'g', client: 'c' },
  { tokenUse: 'refresh_token', grant: 'h', session: 's' },
  { client: 'c', subject: 'u', subjectClient: 'u at c' },
  { jti: 'k', subject: 'u' },
];
const TAGS: readonly (readonly [TagKind, string])[] = [
  ['jti', 'j'],
  ['grant', 'g'],
  ['session', 's'],
  ['client', 'c'],
  ['subject', 'u'],
  ['subject_client', 'u at c'],
  ['issuer', ''],
];
const STEPS_MS = [1, 1000, LEASE_MS, HOUR_MS, MAX_TOKEN_TTL_MS, MAX_TOKEN_TTL_MS + LEASE_MS];
const LIFETIMES_MS = [1000, HOUR_MS, MAX_TOKEN_TTL_MS, MAX_TOKEN_TTL_MS + 2 * HOUR_MS];

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const describeBytes = (bytes: Uint8Array | undefined) => bytes && describeEntry(decodeEntry(bytes));

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
  .map(([handle, items]) => {
    const toEntries = (model: StoreModel) => {
      // By the hour, so that a registration can be repeated: equal within the hour, different after it.
      const hourMs = START_MS + Math.floor((model.clockMs - START_MS) / HOUR_MS) * HOUR_MS;
      return items.map(({ token, claims, lifetimeMs }) => {
        const times = { claimedIssueMs: hourMs, expMs: hourMs + lifetimeMs };
        return makeEntry(token, { ...claims, ...times }, model.ring(handle));
      });
    };
    return step(`register ${JSON.stringify(items)}`, handle, {
      act: (model, { store }) => store.register(toEntries(model)),
      compare: (model, outcomes) => {
        assert.deepEqual(outcomes, model.register(handle, toEntries(model)));
        return outcomes;
      },
    });
  });

const revokeToken = fc.tuple(handles, tokens, fc.constantFrom(1, 2, 100)).map(([handle, token, max]) =>
  step(`revokeToken ${token} ${max}`, handle, {
    act: (model, { store }) => store.revokeToken(makeRevoke(token, model.ring(handle), max)),
    compare: (model, result) => {
      const expected = model.revokeToken(handle, makeRevoke(token, model.ring(handle), max));
      assert.equal(result.outcome, expected === undefined ? 'exhausted' : 'revoked');
      if (result.outcome === 'exhausted' || expected === undefined) return 'revoke: no room';
      assert.deepEqual(describeBytes(result.replaced), expected.replaced);
      model.rememberEnd(result.revision);
      if (expected.grants > 0) return 'revoke: a refresh token and its grant';
      return expected.replaced === undefined ? 'revoke: an unknown token' : 'revoke: a token';
    },
  }),
);

const befores = fc.constantFrom(undefined, END_OF_TIME_MS, START_MS - 1, START_MS + HOUR_MS);
const revokeTag = fc.tuple(handles, fc.constantFrom(...TAGS), befores).map(([handle, [kind, value], beforeMs]) => {
  const revoke = { tag: tagOf(kind, value), issuerTag: ISSUER_TAG, beforeMs };
  return step(`revokeTag ${kind} ${beforeMs}`, handle, {
    act: (_model, { store }) => store.revokeTag(revoke),
    compare: (model, result) => {
      assert.equal(result.beforeMs, model.revokeTag(handle, revoke));
      model.rememberEnd(result.revision);
      return `revoke: ${kind} ${beforeMs === undefined ? 'now' : 'before'}`;
    },
  });
});

const introspect = fc.tuple(handles, fc.constantFrom('one' as const, 'many' as const)).map(([handle, how]) =>
  step(`introspect ${how}`, handle, {
    act: (_model, server) => server.ask(how, TOKENS),
    compare: (model, answers) => {
      const serverMs = model.clockMs + (SERVER_AHEAD_MS[handle] ?? 0);
      const expected = TOKENS.map((token) => model.answer(handle, tagOf('token', token), serverMs));
      const said = answers.map((active) => (active ? 'active' : 'inactive'));
      assert.deepEqual(
        said.map((answer, index) => (expected[index] === 'either' ? 'either' : answer)),
        expected,
      );
      return expected.map((answer) => `answer: ${answer}`);
    },
  }),
);

/** How many cursors before the newest; none at all; one of another store. */
const cursors = fc.oneof(
  { weight: 8, arbitrary: fc.nat({ max: 6 }) },
  { weight: 1, arbitrary: fc.constantFrom('none' as const, 'stranger' as const) },
);
const read = fc.tuple(handles, cursors).map(([handle, choice]) => {
  const digests = [RING, ROTATED_RING].flatMap((ring) => TOKENS.map((token) => digestOf(token, ring)));
  const choose = (model: StoreModel): Cursor | undefined => {
    if (choice === 'none') return undefined;
    return choice === 'stranger' ? ('stranger' as Cursor) : model.cursors.at(-1 - choice);
  };
  return step(`read ${choice}`, handle, {
    act: (model, { store }) => store.read(digests, choose(model)),
    compare: (model, { entries, revocations, cursor: end, more, leaseMs, ...rest }) => {
      const expected = model.read(handle, digests, choose(model));
      const said = { revocations: toRevocations(revocations), entries: entries.map(describeBytes) };
      assert.deepEqual({ ...rest, ...said }, expected);
      assert.equal(leaseMs, LEASE_MS);
      if (revocations.length > 0) assert.equal(revocations.at(-1)?.cursor, end);
      assert.equal(more, false);
      model.rememberEnd(end);
      return rest.reset ? 'read: reset' : 'read: the log goes on';
    },
  });
});

const loadRevocations = handles.map((handle) =>
  step('loadRevocations', handle, {
    act: (_model, { store }) => loadAll(store),
    compare: (model, chunks) => {
      const expected = model.loadRevocations(handle);
      const sorted = (all: typeof expected) =>
        all.map((one) => ({ ...one, tag: hex(one.tag) })).sort((a, b) => (a.tag < b.tag ? -1 : 1));
      assert.deepEqual(sorted(chunks.flat()), sorted(expected));
      return 'loadRevocations';
    },
  }),
);

const moveClock = fc
  .oneof(
    { weight: 3, arbitrary: fc.constantFrom(...STEPS_MS) },
    { weight: 1, arbitrary: fc.constantFrom(...STEPS_MS.map((ms) => -ms)) },
  )
  .map((ms) =>
    command(`moveClock ${ms}`, async (model, real) => {
      model.clockMs = Math.max(START_MS, model.clockMs + ms);
      real.harness.clockMs = model.clockMs;
      count(real, ms > 0 ? 'the clock goes on' : 'the clock goes back');
    }),
  );

/** A server starts again, with the keys it had or with those of the next step of the rotation. */
const restart = fc.tuple(handles, fc.constantFrom(0, 1)).map(([handle, steps]) =>
  command(`restart ${handle} ${steps === 0 ? '' : 'with the next keys'}`, async (model, real) => {
    const { store } = await getServer(real, handle, model);
    const last = await tryWith(model.fits(handle), () => store.meta());
    if (last !== REFUSED) {
      model.touch(handle);
      assert.equal(last.lastStoreTimeMs, model.lastStoreTimeMs);
    }
    const ring = (model.rings[handle] ?? 0) + steps;
    const next = RINGS[ring];
    if (next === undefined) return;
    model.toldMs[handle] = 0;
    const opened = await tryWith(model.fits(handle, next), () => real.harness.openSecond({ keyChecks: next.checks }));
    if (opened === REFUSED) {
      count(real, 'a server that lacks a key does not start');
      await start(real, model, handle, 2);
    } else {
      await opened.close();
      await start(real, model, handle, ring);
      count(real, steps === 0 ? 'restart' : `restart with keys ${ring}`);
    }
  }),
);

const wipe = fc.constant(
  command('wipe', async (model, real) => {
    model.wipe();
    await real.harness.wipe();
    count(real, 'wipe');
  }),
);

const trim = fc.constant(
  command('trim', async (model, real) => {
    model.trim();
    await real.harness.trim();
    count(real, 'trim');
  }),
);

export const storeCommands = [
  register,
  register,
  register,
  register,
  register,
  register,
  revokeToken,
  revokeToken,
  revokeTag,
  revokeTag,
  introspect,
  introspect,
  introspect,
  introspect,
  introspect,
  read,
  read,
  read,
  loadRevocations,
  moveClock,
  moveClock,
  restart,
  restart,
  restart,
  wipe,
  trim,
];

/** Every history in a hundred has each of these; a change that makes one of them rare would blind the test. */
export const MUST_HAPPEN: readonly string[] = [
  ...['registered', 'unchanged', 'exists', 'revoked', 'ttl_too_long'],
  ...['revoke: a token', 'revoke: an unknown token', 'revoke: a refresh token and its grant', 'revoke: no room'],
  ...TAGS.flatMap(([kind]) => [`revoke: ${kind} now`, `revoke: ${kind} before`]),
  ...['answer: active', 'answer: inactive', 'read: reset', 'read: the log goes on', 'loadRevocations'],
  ...['the clock goes on', 'the clock goes back', 'restart', 'wipe', 'trim'],
  ...['restart with keys 1', 'restart with keys 2', 'restart with keys 3'],
  ...['a server that lacks a key refuses', 'a server that lacks a key does not start'],
];
