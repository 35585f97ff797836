// npm run bench [-- --quick | --large] [--only PART,...] [--guard]
import { spawn } from 'node:child_process';
import { build, installIfNeeded } from './install-and-build.mjs';
import { inProject } from './project.mjs';

installIfNeeded();
build();

const [first, ...others] = process.argv.slice(2);
const script = first === 'jobs' ? ['jobs.js', ...others] : ['main.js', ...process.argv.slice(2)];
const bench = spawn(process.execPath, [inProject('dist', 'bench', script[0]), ...script.slice(1)], {
  stdio: 'inherit',
});
// A terminal sends Ctrl-C to the benchmark as well; it cleans up, and this process waits for it.
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => bench.kill(signal));
bench.on('exit', (code) => process.exit(code ?? 1));
