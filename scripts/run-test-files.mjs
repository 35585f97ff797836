// Runs test files in the order given, two at a time; `node --test` would sort them. Flags of this process, such as
// --enable-source-maps, are those of every test file too.
import { setMaxListeners } from 'node:events';
import { resolve } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

// A file that hangs must end the run as a failure that names it. (The option `timeout` does not, from Node 24 on.)
const RUN_TIMEOUT_MS = 20 * 60_000;

let failed = false;
let ran = 0;
const empty = [];
const signal = AbortSignal.timeout(RUN_TIMEOUT_MS);
// One for each file.
setMaxListeners(0, signal);
const events = run({ files: process.argv.slice(2), concurrency: 2, signal });
events.on('test:fail', ({ todo }) => {
  ran += 1;
  failed ||= !todo;
});
events.on('test:pass', ({ name, file, skip }) => {
  // Node reports a file without tests as one passed test of the file's name.
  if (file !== undefined && resolve(name) === file) empty.push(file);
  else if (!skip) ran += 1;
});
process.on('exit', () => {
  if (empty.length > 0) console.error(`test files without a test: ${empty.join(', ')}`);
  if (ran === 0) console.error('no test ran');
  if (failed || empty.length > 0 || ran === 0) process.exitCode = 1;
});
events.compose(spec).pipe(process.stdout);
