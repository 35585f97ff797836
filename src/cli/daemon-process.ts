// A daemon of our own in a process of its own: the demo and the tests talk to what is shipped, not to its parts.
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export interface DaemonProcess {
  /** "host:port" of the gRPC port. */
  readonly target: string;
  /** "host:port" of the ops port. */
  readonly opsTarget: string;
  readonly pid: number;
  /** Sends the signal and resolves with the exit code once it is gone; null when a signal ended it. */
  stop(signal: NodeJS.Signals): Promise<number | null>;
  /** Lets this process end while the daemon goes on. */
  detach(): void;
}

export interface DaemonProcessRequest {
  readonly configFile: string;
  /** Gets all that it prints, stdout and stderr; a later daemon adds to it. */
  readonly logFile: string;
  readonly args?: readonly string[];
  /** Of node itself. */
  readonly nodeArgs?: readonly string[];
}

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));
const START_TIMEOUT_MS = 15_000;
const POLL_MS = 15;

/** Resolves when it listens; rejects with what it printed when it ends before, or takes longer than 15 s. */
export async function startDaemonProcess(request: DaemonProcessRequest): Promise<DaemonProcess> {
  const { configFile, logFile, args = [], nodeArgs = [] } = request;
  const log = openSync(logFile, 'a');
  const skip = readFileSync(logFile).length;
  const child = spawn(process.execPath, [...nodeArgs, MAIN, 'serve', '--config', configFile, ...args], {
    stdio: ['ignore', log, log],
    env: withoutSettings(process.env),
  });
  closeSync(log);
  let ended = false;
  const exited = new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('exit', resolve);
  });
  void exited.then(() => {
    ended = true;
  });

  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const printed = readFileSync(logFile).subarray(skip).toString();
    const listening = findListening(printed);
    if (listening !== undefined) {
      return {
        target: listening.listen,
        opsTarget: listening.ops_listen,
        pid: child.pid ?? 0,
        stop: (signal) => {
          child.kill(signal);
          return exited;
        },
        detach: () => child.unref(),
      };
    }
    if (ended || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`the daemon did not start:\n${printed}`);
    }
    await sleep(POLL_MS);
  }
}

/** It runs with what its file says, whatever the environment has for other daemons. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('INTROSPECTD_')));
}

interface ListeningRecord {
  readonly listen: string;
  readonly ops_listen: string;
}

function findListening(printed: string): ListeningRecord | undefined {
  const line = printed.split('\n').find((text) => text.includes('"msg":"listening"') && text.endsWith('}'));
  return line === undefined ? undefined : (JSON.parse(line) as ListeningRecord);
}
