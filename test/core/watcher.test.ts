// Watchers on a real store (memory) and a feed that is moved by hand, so that every order of the two can be had.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createCallerViews, type EventFields } from '../../src/core/caller-views.js';
import type { IntrospectdError } from '../../src/core/errors.js';
import { createFence } from '../../src/core/fence.js';
import { type Caller, createPolicy } from '../../src/core/policy.js';
import { createRenewals } from '../../src/core/renewals.js';
import { resumeWatch } from '../../src/core/resume-watch.js';
import { createRevocationFeed } from '../../src/core/revocation-feed.js';
import { createRevocationTable } from '../../src/core/revocation-table.js';
import type { Cursor } from '../../src/core/token-store.js';
import { createWatcher, type Watcher } from '../../src/core/watcher.js';
import { ISSUER_TAG } from '../store/fixtures.js';
import { RING } from '../store/harness.js';
import { makeMemoryHarness } from '../store/memory-harness.js';

const ISS = 'https://login.example';
const OTHER_ISS = 'https://other.example';
const MAX_QUEUED = 50;

describe('a watcher', () => {
  it('is told every entry once and in order, from wherever it goes on, whatever the feed knows by then', async () => {
    const steps = fc.array(fc.constantFrom('revoke', 'read', 'flush'), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(steps, steps, steps, fc.nat(), async (before, during, after, choice) => {
        const stage = await setUp();
        await stage.run([...before, 'read', 'flush']);
        await stage.run(during);
        const { revisions } = stage;
        const from = choice % revisions.length;
        const { watcher, resumed, told } = stage.watch();
        const resuming = resumed(revisions[from]);
        await stage.run(after);
        await resuming;
        await stage.run(['revoke', 'read', 'revoke', 'read']);
        stage.drain(watcher);
        assert.deepEqual(told, stage.expected.slice(from));
        await stage.close();
      }),
      { numRuns: 300 },
    );
  });

  it('is reset when its place is not in the log any more, was never in it, or is too far behind', async () => {
    const stage = await setUp();
    await stage.run(['revoke', 'read']);
    const [old] = stage.revisions;
    for (const revision of ['nowhere' as Cursor, 'x'.repeat(22) as Cursor]) {
      assert.deepEqual(await resumeAndTake(stage, revision), ['reset revision']);
    }
    for (let count = 0; count <= MAX_QUEUED; count++) await stage.run(['revoke', 'read']);
    assert.deepEqual(await resumeAndTake(stage, old), ['reset revision']);
    assert.deepEqual((await resumeAndTake(stage, stage.revisions[2])).includes('reset revision'), false);
    await stage.harness.trim();
    assert.deepEqual(await resumeAndTake(stage, stage.revisions[2]), ['reset revision']);
    await stage.close();
  });

  it('is reset when the server loses its place, with all that waited before dropped', async () => {
    const stage = await setUp();
    const { watcher, told } = stage.watch();
    watcher.goLive();
    await stage.run(['revoke', 'read']);
    await stage.harness.wipe();
    await stage.run(['read', 'revoke', 'read']);
    stage.drain(watcher);
    assert.deepEqual(told, ['reset log', stage.expected.at(-1)]);
    await stage.close();
  });

  it('that does not read loses its queue and is reset; not reading that either, it is ended', async () => {
    const stage = await setUp();
    const { watcher, told, overloads } = stage.watch();
    const other = stage.watch();
    for (const one of [watcher, other.watcher]) one.goLive();
    const push = async (count: number) => {
      for (let index = 0; index < count; index++) {
        await stage.run(['revoke', 'read', 'flush']);
        stage.drain(other.watcher);
      }
    };
    await push(MAX_QUEUED);
    stage.drain(watcher);
    assert.equal(told.length, MAX_QUEUED);
    await push(MAX_QUEUED + 3);
    assert.equal(watcher.take()?.kind, 'reset');
    stage.drain(watcher);
    assert.equal(told.length, MAX_QUEUED + 2, 'those after the reset');
    await push(2 * MAX_QUEUED);
    assert.equal(overloads.length, 0);
    await push(3);
    assert.equal(overloads[0]?.reason, 'OVERLOADED');
    assert.deepEqual(other.told, stage.expected);
    await stage.close();
  });

  it('while it catches up keeps no more than its queue', async () => {
    const stage = await setUp();
    const { watcher } = stage.watch();
    for (let count = 0; count <= MAX_QUEUED; count++) await stage.run(['revoke', 'read', 'flush']);
    assert.equal(watcher.isCatchingUp(), false);
    assert.equal(watcher.take()?.kind, 'reset');
    await stage.close();
  });

  it('gets a lease behind all events that the fence knows of, and the newest alone', async () => {
    const stage = await setUp();
    const { watcher } = stage.watch();
    watcher.goLive();
    // The second waits in the feed, to go out with others.
    await stage.run(['revoke', 'follow', 'revoke', 'follow']);
    watcher.grant(1n, 2000);
    watcher.grant(2n, 2000);
    const kinds = [watcher.take(), watcher.take(), watcher.take()].map((item) => item?.kind);
    assert.deepEqual(kinds, ['events', 'events', 'renewed']);
    assert.equal(watcher.take(), undefined);
    await stage.close();
  });

  it('is told nothing of other issuers, nothing of tokens that were never registered, and is reset as another caller', async () => {
    const stage = await setUp();
    const [own, foreign] = [stage.watch(), stage.watch(OTHER)];
    for (const { watcher } of [own, foreign]) watcher.goLive();
    await stage.run(['revoke', 'revoke foreign', 'revoke unknown', 'read']);
    for (const { watcher } of [own, foreign]) stage.drain(watcher);
    assert.deepEqual([own.told.length, foreign.told.length], [1, 1]);
    assert.notDeepEqual(own.told, foreign.told);
    own.watcher.become(OTHER);
    await stage.run(['revoke', 'revoke foreign', 'read']);
    stage.drain(own.watcher);
    assert.equal(own.told[1], 'reset policy');
    assert.equal(own.told.length, 3);
    await stage.close();
  });
});

describe('renewals', () => {
  it('are answered by a read that began after they came; of those that come meanwhile, by the newest', async () => {
    const reads: (() => void)[] = [];
    const granted: bigint[] = [];
    const renewals = createRenewals({
      read: () => new Promise((resolve) => reads.push(() => resolve({ entries: [], storeTimeMs: 0, leaseMs: 2000 }))),
      grant: (nonce) => void granted.push(nonce),
      fail: (error) => assert.fail(String(error)),
    });
    for (const nonce of [1n, 2n, 3n]) renewals.ask(nonce);
    assert.equal(reads.length, 1);
    reads[0]?.();
    await turn();
    assert.deepEqual([granted, reads.length], [[1n], 2]);
    reads[1]?.();
    await turn();
    assert.deepEqual([granted, reads.length], [[1n, 3n], 2]);
  });
});

const [OWN, OTHER] = createPolicyOf();

function createPolicyOf(): readonly [Caller, Caller] {
  const rule = (name: string, iss: string) => ({
    ...{ name, identities: [`dns:${name}`], permissions: ['watch'] as const, revoke: [], issuers: [iss] },
    ...{ audiences: ['*'], tokenUse: undefined, claims: undefined },
  });
  const policy = createPolicy([rule('own', ISS), rule('other', OTHER_ISS)]);
  return [policy.getCaller(['dns:own']), policy.getCaller(['dns:other'])];
}

/** read: of the fence, and all that it brought goes out. follow: what it brought may wait. */
type Step = 'revoke' | 'revoke foreign' | 'revoke unknown' | 'read' | 'follow' | 'flush';

async function setUp() {
  const harness = await makeMemoryHarness();
  const { store } = harness;
  // Nothing goes out by itself: the time stands still.
  const feed = createRevocationFeed({ now: () => 0, schedule: () => undefined });
  const fence = createFence({ store, table: createRevocationTable(), listener: feed });
  const views = createCallerViews({
    issuerTag: (iss) => RING.tag('issuer', iss, ''),
    sealTags: RING.sealTags,
    encodeEvents: ({ tags }: EventFields) => Buffer.from(tags),
  });
  const tagOf = (index: number) => RING.tag('jti', ISS, `${index}`);
  const expected: string[] = [];
  await fence.read([]);
  const revisions = [(await store.read([], undefined)).cursor];
  let count = 0;

  const revoke = async (step: Step): Promise<void> => {
    const tag = tagOf(count++);
    const none = new Uint8Array(8) as typeof ISSUER_TAG;
    const issuerTag = { revoke: ISSUER_TAG, 'revoke foreign': RING.tag('issuer', OTHER_ISS, '') }[step as 'revoke'];
    const { revision } = await store.revokeTag({ tag, issuerTag: issuerTag ?? none, beforeMs: undefined });
    if (step !== 'revoke') return;
    expected.push(RING.sealTags('own', tag).toString('hex'));
    revisions.push(revision);
  };

  return {
    ...{ harness, expected, revisions },
    run: async (steps: readonly Step[]) => {
      for (const step of steps) {
        if (step === 'read' || step === 'follow') await fence.read([]);
        else if (step === 'flush') feed.flush();
        else await revoke(step);
      }
      if (steps.includes('read')) feed.flush();
    },
    watch: (caller: Caller = OWN) => {
      const told: string[] = [];
      const overloads: IntrospectdError[] = [];
      const on = { item: () => undefined, overload: (error: IntrospectdError) => void overloads.push(error) };
      const watcher = createWatcher({ feed, views, caller, maxQueued: MAX_QUEUED, on });
      tellTo.set(watcher, told);
      const send = async (events: { readonly message: Buffer }) => void told.push(...toTags(events.message));
      const resumed = (after: Cursor | undefined) =>
        after === undefined
          ? Promise.reject(new Error('no such revision'))
          : resumeWatch({ store, watcher, maxEntries: MAX_QUEUED, send }, after);
      return { watcher, told, resumed, overloads };
    },
    drain: (watcher: Watcher) => {
      for (let item = watcher.take(); item !== undefined; item = watcher.take()) {
        const told = tellTo.get(watcher);
        if (item.kind === 'events') told?.push(...toTags(item.events.message));
        else if (item.kind === 'reset') told?.push(`reset ${item.cause}`);
      }
    },
    close: () => harness.close(),
  };
}

const tellTo = new WeakMap<Watcher, string[]>();

async function resumeAndTake(stage: Awaited<ReturnType<typeof setUp>>, after: Cursor | undefined) {
  const { watcher, resumed, told } = stage.watch();
  await resumed(after);
  stage.drain(watcher);
  watcher.close();
  return told;
}

function toTags(message: Buffer): readonly string[] {
  return Array.from({ length: message.length / 16 }, (_, index) =>
    message.subarray(index * 16, index * 16 + 16).toString('hex'),
  );
}

async function turn(): Promise<void> {
  await new Promise(setImmediate);
}
