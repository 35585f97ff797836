// The README's "Use it from Envoy", as it stands there.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findEnvoyBinary } from './support/envoy-binary.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const found = findEnvoyBinary();
const { CI } = process.env;
const hasCurl = spawnSync('curl', ['--version']).status === 0;
const skip = hasCurl || CI === 'true' ? typeof found === 'string' && found : 'curl is not installed';

test('"Use it from Envoy" works by copy and paste', { skip }, async () => {
  const [, below = ''] = readFileSync(join(ROOT, 'README.md'), 'utf8').split('## Use it from Envoy\n');
  const [, script = ''] = /```sh\n([\s\S]*?)\n```/.exec(below) ?? [];
  assert.notEqual(script, '');
  const { stdout } = await promisify(execFile)('bash', ['-ec', script], { cwd: ROOT, timeout: 60_000 });
  assert.deepEqual(stdout.match(/(?<=^ {2}-> )\d+$/gm), ['200', '403', '401', '200', '401', '401'], stdout);
  assert.match(stdout, /"x-introspectd-sub":"alice"/);
});
