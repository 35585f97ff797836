#!/usr/bin/env node
// Nothing is imported before the version is checked: an old Node would end in a syntax error of a dependency.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`introspectd needs Node.js 20.19 or newer; this is ${process.versions.node}.\n`);
  process.exitCode = 1;
} else {
  void import('./cli/program.js').then(async ({ runCli }) => {
    process.exitCode = await runCli(process.argv.slice(2));
  });
}
