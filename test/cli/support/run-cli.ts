// The compiled command, in a process of its own, as a user runs it.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface CliRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliRequest {
  /** Given to stdin, which is then closed. */
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

interface SpawnRequest extends Pick<CliRequest, 'cwd' | 'env'> {
  /** A file descriptor that takes its stdout. */
  readonly stdout?: number;
}

const MAIN = fileURLToPath(new URL('../../../src/main.js', import.meta.url));
const TIMEOUT_MS = 20_000;

/** Without settings of the machine that the tests run on. */
function cleanEnv(env: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(INTROSPECTD|GRPC|NODE_OPTIONS)/.test(name));
  return { ...Object.fromEntries(own), ...env };
}

export function spawnCli(args: readonly string[], { cwd, env, stdout }: SpawnRequest = {}): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env: cleanEnv(env),
    stdio: ['pipe', stdout ?? 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
}

export function runCli(args: readonly string[], request: CliRequest = {}): Promise<CliRun> {
  const { input = '', ...where } = request;
  const child = spawnCli(args, where);
  let [stdout, stderr] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A command that refuses its arguments ends before it reads.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
}
