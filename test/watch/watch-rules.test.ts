// Who may watch, for how long, and what a stream may say: on the memory store, through real TLS.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Daemon } from '../../src/cli/daemon.js';
import type { WatchRevocationsRequest } from '../../src/gen/introspectd/v1/introspection_service.js';
import type { StoreHarness } from '../store/harness.js';
import { makeMemoryHarness } from '../store/memory-harness.js';
import type { TestWatch } from '../support/watch-stream.js';
import { ISS, OTHER_ISS, sealedTag, startWatchStage, type WatchStage, watcherRule } from './watch-stage.js';

const ONE = watcherRule('one');
const RULES = [ONE, watcherRule('two'), watcherRule('foreign', { issuers: [OTHER_ISS] })];
const WATCHERS = 6;

let harness: StoreHarness;
let stage: WatchStage;
let daemon: Daemon;
before(async () => {
  harness = await makeMemoryHarness();
  stage = await startWatchStage(harness, { watchers: WATCHERS, connection_age: '10m' });
  daemon = await stage.startDaemon(harness.store);
});
after(async () => {
  await stage.close();
  await harness.close();
});

async function ends(watch: TestWatch, code: string, reason: string | undefined): Promise<void> {
  const end = await watch.ended;
  assert.deepEqual([end.code, end.reason], [code, reason]);
  watch.close();
}

async function isTold(watch: TestWatch, caller: string, number: number): Promise<void> {
  watch.renew(number);
  await watch.nextOf('renewed');
  assert.equal(watch.tags().at(-1), sealedTag(caller, number));
}

describe('what a watcher is told', () => {
  it('is under tags of its own: two callers have nothing in common to compare', async () => {
    const [one, two] = [await stage.watch(daemon, 'one'), await stage.watch(daemon, 'two')];
    await stage.revoke(harness.store, 1);
    await isTold(one, 'one', 1);
    await isTold(two, 'two', 1);
    assert.notDeepEqual(one.tags(), two.tags());
    assert.ok([...one.tags(), ...two.tags()].every((tag) => tag.length === 32));
    for (const watch of [one, two]) watch.close();
  });

  it('is of its issuers alone, and nothing of tokens that were never registered', async () => {
    const [own, foreign] = [await stage.watch(daemon, 'one'), await stage.watch(daemon, 'foreign')];
    await stage.revoke(harness.store, 2);
    await stage.revoke(harness.store, 3, OTHER_ISS);
    const unknown = { digests: ['x'.repeat(22) as never], tokenTag: new Uint8Array(8).fill(9) as never };
    await harness.store.revokeToken({ ...unknown, issuerTag: () => assert.fail(), maxUnknownTombstones: 10 });
    for (const watch of [own, foreign]) {
      watch.renew(1);
      await watch.nextOf('renewed');
    }
    assert.deepEqual(own.tags(), [sealedTag('one', 2)]);
    assert.deepEqual(foreign.tags(), [sealedTag('foreign', 3)]);
    for (const watch of [own, foreign]) watch.close();
  });
});

describe('the policy of a watch that runs', () => {
  after(() => stage.setPolicy(RULES));

  it('changes with a reset, after which other issuers are told', async () => {
    const watch = await stage.watch(daemon, 'one');
    stage.setPolicy([watcherRule('one', { issuers: [OTHER_ISS] }), ...RULES.slice(1)]);
    await watch.nextOf('reset');
    await stage.revoke(harness.store, 4);
    await stage.revoke(harness.store, 5, OTHER_ISS);
    await isTold(watch, 'one', 5);
    assert.deepEqual(watch.tags(), [sealedTag('one', 5)]);
    watch.close();
  });

  it('changes before a lease is granted, and not a second later', async () => {
    stage.setPolicy(RULES);
    const watch = await stage.watch(daemon, 'one');
    for (let round = 0; round < 10; round++) {
      stage.setPolicy([watcherRule('one', { audiences: [`https://a${round}.example`] }), ...RULES.slice(1)]);
      const count = watch.messages.length;
      watch.renew(round);
      await watch.nextOf('renewed');
      const kinds = watch.messages.slice(count).map(({ $case }) => $case);
      assert.deepEqual(kinds, ['reset', 'renewed']);
    }
    watch.close();
  });

  it('is replaced by one that says the same: nothing happens', async () => {
    stage.setPolicy(RULES);
    const watch = await stage.watch(daemon, 'one');
    stage.setPolicy([watcherRule('one', { issuers: [ISS] }), ...RULES.slice(1)]);
    watch.renew(1);
    await watch.nextOf('renewed');
    assert.deepEqual(
      watch.messages.map(({ $case }) => $case),
      ['started', 'renewed'],
    );
    watch.close();
  });

  const ends_with = [
    ['the permission is taken away', [watcherRule('one', { permissions: ['introspect'] })], 'PERMISSION_MISSING'],
    ['the caller is taken out', [watcherRule('two')], 'CALLER_UNKNOWN'],
    [
      'its time is over',
      [watcherRule('one', { conditions: { networks: undefined, notAfterMs: Date.now() - 1 } })],
      'CONDITION_NOT_MET',
    ],
  ] as const;
  for (const [name, rules, reason] of ends_with) {
    it(`ends the stream when ${name}, also when it asks for nothing`, async () => {
      stage.setPolicy(RULES);
      const watch = await stage.watch(daemon, 'one');
      stage.setPolicy(rules);
      await ends(watch, 'PERMISSION_DENIED', reason);
    });
  }
});

describe('what a watcher may say', () => {
  it('is checked before anything else: who it is, and whether it may', async () => {
    stage.setPolicy([watcherRule('one', { permissions: [] }), ...RULES.slice(1)]);
    await ends(stage.open(daemon, 'one'), 'PERMISSION_DENIED', 'PERMISSION_MISSING');
    stage.setPolicy(RULES);
    await ends(stage.open(daemon, 'stranger'), 'PERMISSION_DENIED', 'CALLER_UNKNOWN');
  });

  const start = (afterRevision: string): WatchRevocationsRequest => ({
    kind: { $case: 'start', value: { afterRevision } },
  });
  const renew: WatchRevocationsRequest = { kind: { $case: 'renew', value: { nonce: 1n } } };
  const faults = [
    ['a renewal first', [renew], 'start'],
    ['nothing first', [{ kind: undefined }], 'start'],
    ['start twice', [start(''), start('')], 'renew'],
    ['nothing after the start', [start(''), { kind: undefined }], 'renew'],
    ['a revision of a megabyte', [start('x'.repeat(1_000_000))], 'start.after_revision'],
  ] as const;
  for (const [name, requests, field] of faults) {
    it(`${name}: INVALID_ARGUMENT`, async () => {
      const watch = stage.open(daemon, 'one');
      for (const request of requests) watch.send(request);
      assert.deepEqual(await watch.ended, { code: 'INVALID_ARGUMENT', reason: 'REQUEST_INVALID', fields: [field] });
      watch.close();
    });
  }

  it('ends well by saying no more', async () => {
    const watch = await stage.watch(daemon, 'one');
    watch.halfClose();
    await ends(watch, 'OK', undefined);
  });

  it('ends badly by saying no more before it began', async () => {
    const watch = stage.open(daemon, 'one');
    watch.halfClose();
    await ends(watch, 'INVALID_ARGUMENT', 'REQUEST_INVALID');
  });

  it('is held to the deadline that it set itself', async () => {
    const watch = stage.open(daemon, 'one', { deadlineMs: Date.now() + 300 });
    watch.start();
    await ends(watch, 'DEADLINE_EXCEEDED', undefined);
  });

  it('a flood of renewals is answered in order, and the last of them by its own', async () => {
    const watch = await stage.watch(daemon, 'one');
    for (let nonce = 1; nonce <= 500; nonce++) watch.renew(nonce);
    while ((await watch.nextOf('renewed')).nonce !== 500n);
    const nonces = watch.messages.flatMap((one) => (one.$case === 'renewed' ? [one.value.nonce] : []));
    assert.deepEqual(
      nonces,
      [...new Set(nonces)].toSorted((a, b) => (a < b ? -1 : 1)),
    );
    watch.close();
  });

  it(`is room for ${WATCHERS} of them, given back as they end`, async () => {
    const watches = [];
    for (let count = 0; count < WATCHERS; count++) watches.push(await stage.watch(daemon, 'one'));
    await ends(stage.open(daemon, 'two'), 'RESOURCE_EXHAUSTED', 'OVERLOADED');
    watches.pop()?.close();
    let again: TestWatch;
    // The server learns of the end of a stream a little after its client.
    for (let tries = 0; ; tries++) {
      again = stage.open(daemon, 'two');
      again.start();
      if ((await Promise.race([again.nextOf('started'), again.ended.then(() => undefined)])) !== undefined) break;
      assert.ok(tries < 500);
    }
    for (const watch of [...watches, again]) watch.close();
  });

  it('ends when the server does: DRAINING, so that it goes elsewhere', async () => {
    const other = await stage.startDaemon(await harness.openSecond());
    const watch = await stage.watch(other, 'one');
    await Promise.all([ends(watch, 'UNAVAILABLE', 'DRAINING'), other.stop({ noticeMs: 0, budgetMs: 2000 })]);
  });
});
