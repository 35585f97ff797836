// A disk without room, made real by a file-size limit and by a small file system.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { openLmdbTokenStore } from '../../src/store/lmdb-token-store.js';
import { makeEntry, makeRevoke, readEntry } from './fixtures.js';
import { HOUR_MS, makeOptions } from './harness.js';
import { childScript, makeTempFolder } from './lmdb-temp-folder.js';
import { mountSmall } from './small-file-system.js';

interface Report {
  readonly acknowledged: number;
  readonly details: readonly string[];
  readonly lost: readonly string[];
  readonly after: readonly unknown[];
}

/** The file itself may not grow: the same fault as a full disk, for one process, and lifted from outside. */
const withFileLimit = (kilobytes: number, script: string, ...args: readonly string[]) =>
  spawnSync(
    'bash',
    ['-c', `ulimit -S -f ${kilobytes}; exec "$@"`, 'bash', process.execPath, childScript(script), ...args],
    {
      encoding: 'utf8',
    },
  );

function assertSurvived({ status, signal, stdout }: ReturnType<typeof withFileLimit>): void {
  assert.deepEqual([status, signal], [0, null]);
  const report = JSON.parse(stdout) as Report;
  assert.ok(report.acknowledged > 20);
  assert.equal(report.details.length, 10);
  for (const detail of report.details) assert.match(detail, /no room for the LMDB file: free disk space/);
  assert.deepEqual(report.lost, []);
  assert.deepEqual(report.after, [0, 'registered', 'revoked']);
}

test('a file that may not grow: registrations are unavailable, nothing acknowledged is lost, and it goes on', (t) => {
  const path = makeTempFolder(t);
  assertSurvived(withFileLimit(600, 'disk-filler', path, 'prlimit', '--pid', 'PID', '--fsize=unlimited'));
});

test('a full disk: registrations are unavailable, nothing acknowledged is lost, and it goes on', (t) => {
  const path = mountSmall(t, '700k');
  if (path === undefined) return;
  const args = [childScript('disk-filler'), `${path}/store`, 'mount', '-o', 'remount,size=9M', path];
  assertSurvived(spawnSync(process.execPath, args, { encoding: 'utf8' }));
});

test('a disk without room for a new store is told as such, not as a crash', (t) => {
  const path = mountSmall(t, '8k');
  if (path === undefined) return;
  spawnSync('dd', ['if=/dev/zero', `of=${path}/fill`, 'bs=4k', 'count=8']);
  const { status, signal, stdout } = spawnSync(process.execPath, [childScript('opener'), `${path}/store`], {
    encoding: 'utf8',
  });
  assert.deepEqual([status, signal], [0, null]);
  assert.match(stdout, /^\{"detail":"no room for the LMDB file/);
});

test('a store on a full disk opens and reads', async (t) => {
  const path = makeTempFolder(t);
  const store = await openLmdbTokenStore({ path, ...makeOptions({ clockMs: 0 }), clock: Date.now });
  const nowMs = Math.floor(Date.now() / 1000) * 1000;
  await store.register([makeEntry('a', { claimedIssueMs: nowMs, expMs: nowMs + HOUR_MS })]);
  const { status, stdout } = withFileLimit(1, 'opener', path);
  assert.deepEqual([status, stdout.trim()], [0, '{"opened":true}']);
  assert.ok(await readEntry(store, 'a'));
  assert.equal((await store.revokeToken(makeRevoke('a'))).outcome, 'revoked');
  await store.close();
});
