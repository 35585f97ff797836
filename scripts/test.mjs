// npm test [-- PART_OF_A_PATH...]: installs what is missing, builds, and runs every test, or those whose path contains
// one of the arguments.
import { readdirSync } from 'node:fs';
import { build, installIfNeeded } from './install-and-build.mjs';
import { inProject, runTool } from './project.mjs';
import { installRedisIfNeeded } from './redis-server.mjs';

// They start first, so that the run does not end with one processor waiting for the other. Longest first.
const LONG = [
  'history/redis',
  'promises/kill-nine',
  'mutants/',
  'history/lmdb',
  'history/client',
  'client/rolling',
  'promises/near-cache',
  'cli/usage',
  'batch/batch-resume',
  'store/lmdb-model',
  'store/lmdb-kill-nine',
  'store/redis-',
  'envoy/',
  'promises/revoked-stays-revoked',
  'hostile/slow',
  'readme/',
  'cli/certs',
];

installIfNeeded();
build();

// The list comes from the sources: dist may still hold tests whose source is gone.
const sources = readdirSync(inProject('test'), { recursive: true })
  .filter((path) => path.endsWith('.test.ts'))
  .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
const wanted = process.argv.slice(2);
const chosen = sources.filter((path) => wanted.length === 0 || wanted.some((part) => `test/${path}`.includes(part)));
if (chosen.length === 0) {
  console.error(`introspectd: no test file's path contains ${wanted.join(' or ')}`);
  process.exit(1);
}

if (chosen.some((path) => path.includes('redis'))) installRedisIfNeeded();

const files = chosen.map((path) => inProject('dist', 'test', path.replace(/\.ts$/, '.js')));
const run = runTool(process.execPath, ['--enable-source-maps', inProject('scripts', 'run-test-files.mjs'), ...files], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
process.exit(run.status ?? 1);

function rank(path) {
  const place = LONG.findIndex((part) => path.includes(part));
  return place === -1 ? LONG.length : place;
}
