// Makes a fresh clone ready: dependencies as the lock names them, then the build. Silent when there is nothing to do;
// everything it says goes to stderr.
import { existsSync, readFileSync } from 'node:fs';
import { inProject, npmCommand, runTool } from './project.mjs';

/** Installs when node_modules is not what package-lock.json says. Exits the process when that fails. */
export function installIfNeeded() {
  const reason = mismatch();
  if (reason === undefined) return;
  console.error(`introspectd: installing dependencies (npm ci, install scripts off): ${reason}`);
  const [command, ...args] = npmCommand();
  // Development dependencies too, whatever NODE_ENV says: the build needs them.
  const flags = ['ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  stopUnless(runTool(command, [...args, ...flags]), 'npm ci failed; nothing was built or started');
}

/** Builds what changed. Exits the process when that fails. */
export function build() {
  if (!existsSync(inProject('dist'))) console.error('introspectd: building');
  stopUnless(runTool('tsc', ['-b']), 'the build failed; nothing was started');
}

// npm records what it installed in node_modules/.package-lock.json, last of all: a broken install has none.
function mismatch() {
  const record = inProject('node_modules', '.package-lock.json');
  if (!existsSync(record)) return 'there are none yet';
  const installed = packagesOf(record);
  const locked = packagesOf(inProject('package-lock.json'));
  for (const path of new Set([...Object.keys(locked), ...Object.keys(installed)])) {
    if (path !== '' && !matches(locked[path], installed[path])) return `${path} is not as locked`;
  }
  return undefined;
}

function packagesOf(lockFile) {
  return JSON.parse(readFileSync(lockFile, 'utf8')).packages;
}

function matches(locked, installed) {
  if (locked === undefined) return false;
  if (installed === undefined) return locked.optional === true && !isForThisMachine(locked);
  return locked.version === installed.version && locked.integrity === installed.integrity;
}

// Catches a node_modules that came from another system. Packages that also depend on the C library are left to npm.
function isForThisMachine({ os, cpu, libc }) {
  return Boolean(os?.includes(process.platform) && cpu?.includes(process.arch)) && libc === undefined;
}

function stopUnless(result, message) {
  if (result.status === 0) return;
  console.error(`introspectd: ${message}${result.error ? ` (${result.error.message})` : ''}`);
  process.exit(result.status || 1);
}
