// Where the project is, and how its scripts run the tools in it: with this Node, whatever the PATH says.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Absolute path of a file of the project. */
export function inProject(...path) {
  return join(fileURLToPath(new URL('..', import.meta.url)), ...path);
}

const env = {
  ...process.env,
  PATH: [inProject('node_modules', '.bin'), dirname(process.execPath), process.env.PATH].join(delimiter),
};

/** Runs a command of node_modules/.bin or of the system in the project's folder. */
export function runTool(command, args, options = {}) {
  return spawnSync(command, args, { cwd: inProject(), env, stdio: ['ignore', 2, 2], ...options });
}

/** npm as it was started, or else the npm beside this Node. */
export function npmCommand() {
  const { npm_execpath: cli, npm_node_execpath: node } = process.env;
  return cli?.endsWith('npm-cli.js') && existsSync(cli) ? [node ?? process.execPath, cli] : ['npm'];
}
