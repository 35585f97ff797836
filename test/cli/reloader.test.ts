// When changed files are put into use, what is told of those that are bad, and what is counted. Real files, a bound on waits.
import assert from 'node:assert/strict';
import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Reloader, startReloader } from '../../src/cli/reloader.js';
import { FaultsError } from '../../src/config/faults.js';
import { readFingerprint } from '../../src/config/file-fingerprint.js';
import type { LogFields } from '../../src/telemetry/logger.js';
import { temporaryFolder } from './support/temporary-folder.js';

const SECRET = 'secret-in-a-file';
const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

describe('a reloader', () => {
  let uses: number;
  let loads: number;
  let reloaded: number;
  let failed: number;
  let written: (LogFields & { readonly event: string })[];
  let whileLoading: () => void;
  let reloader: Reloader;
  const paths = [at('a'), at('b')];

  beforeEach(async () => {
    [uses, loads, reloaded, failed, written, whileLoading] = [0, 0, 0, 0, [], () => undefined];
    for (const path of paths) rmSync(path, { force: true });
    for (const path of paths) writeFileSync(path, 'one');
    const note = (event: string, fields: LogFields = {}) => void written.push({ event, ...fields });
    reloader = startReloader({
      parts: [
        {
          name: 'tls',
          paths,
          fingerprint: await readFingerprint(paths),
          load: async () => {
            loads++;
            whileLoading();
            return () => void uses++;
          },
        },
      ],
      logger: { isEnabled: () => true, write: (_level, event, fields) => note(event, fields), writeAlways: note },
      metrics: { succeeded: () => void reloaded++, failed: () => void failed++ },
    });
  });
  const use = async (count: number) => {
    const endMs = performance.now() + 10_000;
    while (uses < count) {
      assert.ok(performance.now() < endMs, `used ${uses} times, not ${count}`);
      await sleep(20);
    }
    reloader.stop();
    assert.deepEqual([uses, reloaded, failed], [count, count, 0]);
  };
  after(() => reloader.stop());

  const changes: Readonly<Record<string, () => void>> = {
    'written in place': () => writeFileSync(at('a'), 'two'),
    'written in place with as many bytes': () => writeFileSync(at('b'), 'eno'),
    'renamed over': () => {
      writeFileSync(at('next'), 'one');
      renameSync(at('next'), at('a'));
    },
    'a link that is turned': () => {
      writeFileSync(at('target'), 'one');
      symlinkSync('target', at('link'));
      renameSync(at('link'), at('b'));
    },
  };
  for (const [name, change] of Object.entries(changes)) {
    it(`sees a file ${name}`, async () => {
      change();
      await use(1);
    });
  }

  it('does not use what changed while it was read', async () => {
    whileLoading = () => {
      if (loads === 1) writeFileSync(at('b'), `changed ${loads}`);
    };
    writeFileSync(at('a'), 'two');
    await use(1);
    assert.equal(loads, 2);
  });

  it('tells of bad files once, counts them, and says nothing that stands in them', async () => {
    const faults = [
      new FaultsError(SECRET, [{ path: 'tls.key_file', origin: 'the.key', problem: 'does not belong' }]),
      new FaultsError(SECRET, [{ path: '', origin: 'line 3', problem: SECRET }]),
      Object.assign(new Error(SECRET), { code: 'E_X' }),
    ];
    for (const fault of faults) {
      whileLoading = () => {
        throw fault;
      };
      await reloader.reloadNow();
    }
    writeFileSync(at('a'), 'bad');
    for (let waits = 0; failed < 4 && waits < 500; waits++) await sleep(20);
    const looked = loads;
    await sleep(1200);
    assert.deepEqual([uses, reloaded, failed, loads], [0, 0, 4, looked]);
    assert.ok(!JSON.stringify(written).includes(SECRET));
    assert.deepEqual(
      written
        .slice(0, 3)
        .map(({ event, at: key, where, problem, error_code: code }) => [event, key, where, problem, code]),
      [
        ['reload_failed', 'tls.key_file', 'the.key', 'does not belong', undefined],
        ['reload_failed', '', 'line 3', undefined, undefined],
        ['reload_failed', undefined, undefined, undefined, 'E_X'],
      ],
    );
    whileLoading = () => undefined;
    await reloader.reloadNow();
    assert.deepEqual([uses, reloaded, failed], [1, 1, 4]);
    reloader.stop();
  });
});
