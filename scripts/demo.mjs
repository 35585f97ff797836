// npm run demo [-- --keep]
import { spawn } from 'node:child_process';
import { build, installIfNeeded } from './install-and-build.mjs';
import { inProject } from './project.mjs';

installIfNeeded();
build();

const demo = spawn(process.execPath, [inProject('dist', 'src', 'main.js'), 'demo', ...process.argv.slice(2)], {
  stdio: 'inherit',
});
// A terminal sends Ctrl-C to the demo as well; it cleans up, and this process waits for it.
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => demo.kill(signal));
demo.on('exit', (code) => process.exit(code ?? 1));
