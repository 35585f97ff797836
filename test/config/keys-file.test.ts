import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createKeysFile, keysFileExists, readKeysFile } from '../../src/config/keys-file.js';

const folder = mkdtempSync(join(tmpdir(), 'introspectd-keys-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const KEY = Buffer.alloc(32, 7).toString('base64');

test('a new file has one key of each kind, for its owner alone', async () => {
  const path = join(folder, 'new.keys');
  assert.equal(await keysFileExists(path), false);
  await createKeysFile(path);
  assert.equal(await keysFileExists(path), true);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.match(readFileSync(path, 'utf8'), /^digest:[A-Za-z0-9+/]{43}=\ntag:[A-Za-z0-9+/]{43}=\n$/);
  const { keyRing, warnings } = await readKeysFile(path);
  assert.equal(keyRing.checks.digests.length, 1);
  assert.deepEqual(warnings, []);
});

test('a file that is there stays as it is', async () => {
  const path = join(folder, 'kept.keys');
  writeFileSync(path, 'mine');
  await createKeysFile(path);
  assert.equal(readFileSync(path, 'utf8'), 'mine');
});

test('of many that make it at once one wins, whole, and nothing else is left', async () => {
  const own = join(folder, 'race');
  mkdirSync(own);
  const path = join(own, 'introspectd.keys');
  const checks = await Promise.all(
    Array.from({ length: 20 }, async () => {
      await createKeysFile(path);
      return (await readKeysFile(path)).keyRing.checks.tag;
    }),
  );
  assert.equal(new Set(checks).size, 1);
  assert.deepEqual(readdirSync(own), ['introspectd.keys']);
});

test('a file that others may read is read, with a warning', async () => {
  const path = join(folder, 'open.keys');
  writeFileSync(path, `digest:${KEY}\ntag:${KEY}\n`);
  chmodSync(path, 0o644);
  assert.match((await readKeysFile(path)).warnings.join(), /chmod 600/);
});

const BAD: readonly (readonly [string, string, RegExp])[] = [
  ['empty', '', /no line digest/],
  ['no tag key', `digest:${KEY}\n`, /exactly one line tag/],
  ['two tag keys', `digest:${KEY}\ntag:${KEY}\ntag:${KEY}\n`, /exactly one line tag/],
  ['a short key', `digest:${KEY}\ntag:c2hvcnQ=\n`, /line 2/],
  ['something else', 'hello canary\n', /line 1/],
  ['too large', '#'.repeat(65 * 1024), /larger than/],
];

test('bad files are told without what is in them', async (t) => {
  for (const [name, text, expected] of BAD) {
    await t.test(name, async () => {
      const path = join(folder, 'bad.keys');
      writeFileSync(path, text);
      await assert.rejects(readKeysFile(path), (error: Error) => {
        assert.match(error.message, expected);
        assert.ok(error.message.includes(`keys_file (${path})`));
        assert.doesNotMatch(error.message, /canary|c2hvcnQ/);
        return true;
      });
    });
  }
});

test('a missing file, a folder, a folder that is not there', async () => {
  await assert.rejects(readKeysFile(join(folder, 'none')), /no such file/);
  await assert.rejects(readKeysFile(folder), /is a folder/);
  await assert.rejects(createKeysFile(join(folder, 'no', 'folder', 'keys')), /cannot be made \(ENOENT\)/);
});
