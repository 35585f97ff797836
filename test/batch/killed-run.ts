// A command that dies by kill -9 at an exact place in its own code. The place is made by the hook that mutants use.
import { existsSync, readFileSync } from 'node:fs';
import { type CliRun, runCli } from '../cli/support/run-cli.js';

export interface KillPoint {
  readonly name: string;
  /** End of the compiled file's path. */
  readonly file: string;
  /** There exactly once. */
  readonly find: string;
  readonly when: 'before' | 'after' | 'halfway';
  /** At the how-manieth time that it comes there. */
  readonly times: readonly number[];
}

const HOOK = new URL('../mutants/install-mutation.js', import.meta.url).href;
const KILL = "process.kill(process.pid, 'SIGKILL')";
// The kill takes a moment; nothing may happen in it.
const WAIT = 'await new Promise(() => setInterval(() => undefined, 1000))';

/** Fails unless it was killed, there. */
export async function runUntilKilled(
  args: readonly string[],
  { file, find, when, name }: KillPoint,
  time: number,
  marker: string,
): Promise<void> {
  const count = 'globalThis.timesHere = (globalThis.timesHere ?? 0) + 1';
  const die = `if ((${count}) === ${time}) { ${KILL}; ${WAIT}; }`;
  const half = `if ((${count}) === ${time}) { await handle.write(rest, 0, rest.length >> 1, bytes); ${KILL}; ${WAIT}; }`;
  const replace = when === 'after' ? `${find}\n${die}` : `${when === 'halfway' ? half : die}\n${find}`;
  const env = { NODE_OPTIONS: `--import ${HOOK}`, MUTATION: JSON.stringify({ file, find, replace, marker }) };
  const { code, stderr }: CliRun = await runCli(args, { env });
  if (code !== null) throw new Error(`it was not killed ${when} ${name}, time ${time}: ${code} ${stderr}`);
  if (!existsSync(marker) || readFileSync(marker, 'utf8') === '') throw new Error(`${name} is nowhere`);
}
