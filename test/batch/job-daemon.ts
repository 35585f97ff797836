// A daemon with tokens, and the commands of its callers.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AUDIENCE, ISSUER } from '../cases/introspect-cases.js';
import { type CliRun, runCli } from '../cli/support/run-cli.js';
import { startTestDaemon, type TestDaemon } from '../support/daemon.js';

const SEES = { issuers: [ISSUER], audiences: [AUDIENCE] };
const CALLERS = [
  { name: 'login', permissions: ['register'], issuers: [ISSUER], audiences: ['*'] },
  { name: 'auditor', permissions: ['stream'], ...SEES },
  { name: 'explainer', permissions: ['stream', 'explain'], ...SEES },
  { name: 'security', permissions: ['stream'], revoke: ['token'], ...SEES },
  { name: 'slow', permissions: ['stream'], ...SEES, rate: { per_second: 1_000, burst: 500 } },
  { name: 'nobody', permissions: [], ...SEES },
];
const PER_REQUEST = 500;

export interface JobDaemon extends TestDaemon {
  readonly folder: string;
  /** Token of this number; those of an even one are registered. */
  token(number: number): string;
  path(name: string): string;
  write(name: string, content: string | Buffer): string;
  run(
    command: string,
    caller: string,
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Promise<CliRun>;
  /** Ends it and starts it again on the same port. */
  restartInPlace(signal: NodeJS.Signals): Promise<void>;
  argsFor(command: string, caller: string, args: readonly string[]): readonly string[];
}

export async function startJobDaemon(tokens: number): Promise<JobDaemon> {
  const daemon = await startTestDaemon({ callers: CALLERS });
  const { folder } = daemon.workspace;
  const token = (number: number) => `job-token-${String(number).padStart(7, '0')}`;
  const path = (name: string) => join(folder, name);
  const argsFor = (command: string, caller: string, args: readonly string[]) => [
    command,
    ...['--as', join(folder, caller), '--target', daemon.process.target],
    ...args,
  ];
  const registered = Array.from({ length: Math.ceil(tokens / 2) }, (_, index) => index * 2);
  for (let start = 0; start < registered.length; start += PER_REQUEST) {
    const part = registered.slice(start, start + PER_REQUEST);
    await daemon.register(part.map((number) => ({ token: token(number), claims: { sub: `user-${number}` } })));
  }
  return Object.assign(daemon, {
    folder,
    token,
    path,
    write: (name: string, content: string | Buffer) => {
      writeFileSync(path(name), content);
      return path(name);
    },
    argsFor,
    restartInPlace: async (signal: NodeJS.Signals) => {
      const { configFile } = daemon.workspace;
      const config = readFileSync(configFile, 'utf8');
      writeFileSync(configFile, config.replace('listen: localhost:0', `listen: ${daemon.process.target}`));
      await daemon.restart(signal);
    },
    run: (command: string, caller: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
      runCli(argsFor(command, caller, args), { env }),
  });
}

export interface AnswerLine {
  readonly file?: string;
  readonly line: number;
  readonly id?: string | number;
  readonly active: boolean;
  readonly revoked?: boolean;
  readonly reason?: string;
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** Fails when one of them is not whole. */
export function readAnswers(text: string): AnswerLine[] {
  assertWhole(text);
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

export function readAnswerFile(path: string): AnswerLine[] {
  return readAnswers(readFileSync(path, 'utf8'));
}

function assertWhole(text: string): void {
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line is not whole');
}
