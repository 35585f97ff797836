// npm run profile [-- introspect|filtered|batch|check|echo] [--mtls] [--redis]
import { build, installIfNeeded } from './install-and-build.mjs';
import { inProject, runTool } from './project.mjs';

installIfNeeded();
build();

const { status } = runTool(process.execPath, [inProject('dist', 'bench', 'profile.js'), ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
