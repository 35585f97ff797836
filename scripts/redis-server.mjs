// Tests of the Redis store run against a real redis-server. Where it is missing, root gets it from the system's packages;
// everybody else is told, and the tests are skipped (or fail, with CI set).
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';

// Debian's way to say that an installed service is not to be started.
const POLICY = '/usr/sbin/policy-rc.d';

export function installRedisIfNeeded() {
  if (runs('redis-server', ['--version'])) return;
  if (process.getuid?.() === 0 && runs('apt-get', ['--version'])) {
    console.error('introspectd: installing redis-server for the tests (apt-get); its service is not started');
    install();
    if (runs('redis-server', ['--version'])) return;
  }
  console.error('introspectd: redis-server is not installed: the tests of the Redis store are SKIPPED');
}

function install() {
  const hasPolicy = existsSync(POLICY);
  if (!hasPolicy) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const options = { env, stdio: ['ignore', 'ignore', 2] };
    spawnSync('apt-get', ['update', '-q'], options);
    spawnSync('apt-get', ['install', '-y', '-q', '--no-install-recommends', 'redis-server'], options);
  } finally {
    if (!hasPolicy) rmSync(POLICY, { force: true });
  }
}

function runs(command, args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}
