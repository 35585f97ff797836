// What a watcher is told, on every engine: all events of its issuers, once, in order, and before the lease that covers them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Daemon } from '../../src/cli/daemon.js';
import type { Cursor } from '../../src/core/token-store.js';
import type { MakeHarness } from '../store/harness.js';
import type { TestWatch } from '../support/watch-stream.js';
import { sealedTag, startWatchStage, type WatchStage } from './watch-stage.js';

type Body = (stage: WatchStage, daemon: Daemon) => Promise<void>;

export function describeWatch(engine: string, makeHarness: MakeHarness): void {
  const withStage = (body: Body) => async () => {
    const harness = await makeHarness();
    const stage = await startWatchStage(harness);
    try {
      await body(stage, await stage.startDaemon(harness.store));
    } finally {
      await stage.close();
      await harness.close();
    }
  };

  describe(`WatchRevocations on ${engine}`, () => {
    it(
      'tells every event once and in the order of the log, while many read and write',
      withStage(async (stage, daemon) => {
        const second = await stage.harness.openSecond();
        const other = await stage.startDaemon(second);
        const { cursor } = await stage.harness.store.read([], undefined);
        const watches = await Promise.all([daemon, other].map((one) => stage.watch(one, 'one')));
        for (let round = 0; round < 30; round++) {
          const renewed = watches.map((watch) => {
            watch.renew(round);
            return watch.nextOf('renewed');
          });
          const stores = [stage.harness.store, second];
          await Promise.all(range(10).map((n) => stage.revoke(stores[n % 2] ?? second, round * 10 + n)));
          await Promise.all(renewed);
        }
        const { revocations } = await stage.harness.store.read([], cursor);
        const expected = revocations.map(({ beforeMs }) => sealedTag('one', beforeMs));
        assert.equal(expected.length, 300);
        for (const watch of watches) {
          await untilTold(watch, expected.length);
          assert.deepEqual(watch.tags(), expected);
        }
      }),
    );

    it(
      'answers a renewal only behind what was revoked before it was sent, on another server of the store as well',
      withStage(async (stage) => {
        const second = await stage.harness.openSecond();
        const watch = await stage.watch(await stage.startDaemon(second), 'one');
        for (const number of range(50)) {
          await stage.revoke(stage.harness.store, number);
          watch.renew(number);
          const { nonce, leaseMs } = await watch.nextOf('renewed');
          assert.deepEqual([nonce, leaseMs], [BigInt(number), 2000n]);
          assert.equal(watch.tags().at(-1), sealedTag('one', number));
        }
        assert.equal(watch.tags().length, 50);
      }),
    );

    it(
      'tells it as it happens at another server, and not when it looks again',
      withStage(async (stage, daemon) => {
        const watch = await stage.watch(daemon, 'one');
        const second = await stage.harness.openSecond();
        // A look a second would take twice as long.
        const endMs = performance.now() + 10_000;
        for (const number of range(20)) {
          await stage.revoke(second, number);
          await watch.nextOf('events');
          assert.ok(performance.now() < endMs);
        }
        assert.deepEqual(
          watch.tags(),
          range(20).map((number) => sealedTag('one', number)),
        );
      }),
    );

    it(
      'goes on after a revision, at another server and after a restart, with nothing twice and nothing left out',
      withStage(async (stage, daemon) => {
        const { harness } = stage;
        const revisions: Cursor[] = [];
        for (const number of range(40)) revisions.push(await stage.revoke(harness.store, number));
        const other = await stage.startDaemon(await harness.openSecond());
        const resume = async (at: Daemon, from: number) => {
          const watch = await stage.watch(at, 'one', revisions[from]);
          await stage.revoke(harness.store, revisions.length).then((revision) => revisions.push(revision));
          await untilTold(watch, revisions.length - 1 - from);
          assert.deepEqual(
            watch.tags(),
            range(revisions.length - 1 - from).map((n) => sealedTag('one', from + 1 + n)),
          );
          assert.ok(watch.messages.every(({ $case }) => $case !== 'reset'));
        };
        for (const from of [0, 17, 39]) {
          await resume(daemon, from);
          await resume(other, from);
        }
        await daemon.stop({ noticeMs: 0, budgetMs: 1000 });
        await other.stop({ noticeMs: 0, budgetMs: 1000 });
        await harness.reopen();
        await resume(await stage.startDaemon(harness.store), 20);
      }),
    );

    it(
      'is cut off at random and goes on where it was: all in order, or a reset',
      withStage(async (stage, daemon) => {
        const { harness } = stage;
        const told: string[] = [];
        let number = 0;
        let { cursor: revision }: { cursor: string } = await harness.store.read([], undefined);
        for (let round = 0; round < 25; round++) {
          const watch = await stage.watch(daemon, 'one', revision);
          const writing = Promise.all(range(round % 7).map(() => stage.revoke(harness.store, number++)));
          if (round % 3 === 0) await writing;
          if (round % 5 === 0) {
            watch.renew(round);
            await watch.nextOf('renewed');
          }
          watch.close();
          await writing;
          await watch.ended;
          for (const message of watch.messages) {
            assert.notEqual(message.$case, 'reset');
            if (message.$case === 'events') revision = message.value.revision;
          }
          told.push(...watch.tags());
        }
        const last = await stage.watch(daemon, 'one', revision);
        last.renew(0);
        await last.nextOf('renewed');
        told.push(...last.tags());
        assert.deepEqual(
          told.toSorted(),
          range(number)
            .map((n) => sealedTag('one', n))
            .toSorted(),
        );
      }),
    );

    it(
      'tells a reset where it cannot tell what was missed, and goes on after it',
      withStage(async (stage, daemon) => {
        const { harness } = stage;
        const early = await stage.revoke(harness.store, 1);
        const running = await stage.watch(daemon, 'one');
        await stage.revoke(harness.store, 2);
        await untilTold(running, 1);
        await harness.trim();
        const trimmed = await stage.watch(daemon, 'one', early);
        assert.match((await trimmed.nextOf('reset')).revision, /^.{22,}$/);
        const foreign = await stage.watch(daemon, 'one', 'no revision of this store');
        await foreign.nextOf('reset');
        await harness.wipe();
        const { revision } = await running.nextOf('reset');
        const latest = await stage.revoke(harness.store, 3);
        assert.notEqual(revision, latest);
        for (const watch of [running, trimmed, foreign]) {
          watch.renew(3);
          assert.equal((await watch.nextOf('renewed')).nonce, 3n);
          assert.equal(watch.tags().at(-1), sealedTag('one', 3));
        }
      }),
    );
  });
}

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}

async function untilTold(watch: TestWatch, count: number): Promise<void> {
  while (watch.tags().length < count) await watch.next();
}
