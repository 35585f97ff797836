// Our own client could share a misreading with our own server. Google's C core, driven from Python, knows proto/ alone.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { startTestDaemon } from '../support/daemon.js';
import { findPython, generateStubs, installPackages, PEER } from './python-environment.js';

const run = promisify(execFile);
const { CI } = process.env;

test('a Python client speaks to the daemon from proto/ and a certificate', async (t) => {
  const python = findPython();
  if (python === undefined) return skipLoudly('python3 with pip is not on the PATH');
  let packages: string;
  try {
    packages = installPackages(python);
  } catch (error) {
    if (CI === 'true') throw error;
    return skipLoudly(`pip could not install grpcio: ${error}`);
  }
  const stubs = mkdtempSync(join(tmpdir(), 'introspectd-peer-'));
  t.after(() => rmSync(stubs, { recursive: true, force: true }));
  generateStubs(packages, stubs);
  const daemon = await startTestDaemon();
  t.after(() => daemon.stop());
  const env = { ...process.env, PYTHONPATH: [stubs, packages].join(delimiter), PYTHONDONTWRITEBYTECODE: '1' };
  const peer = [join(PEER, 'peer.py'), daemon.process.target, daemon.workspace.folder];
  const { stdout } = await run('python3', peer, { env, timeout: 60_000 });
  assert.equal(stdout.match(/^ok /gm)?.length, 11, stdout);

  function skipLoudly(reason: string): void {
    const message = `NOT TESTED with a foreign client: ${reason}`;
    console.error(message);
    t.skip(message);
  }
});
