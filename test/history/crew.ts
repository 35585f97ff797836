// The processes of a history test: started together, told the same, and none may end before it is told to.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { By } from './history.js';
import type { ChildSetup, FromChild, HowToCut, ToChild } from './messages.js';
import type { Stage } from './stage.js';

export type Trade = 'reader' | 'revoker' | 'cache';

export interface CrewRequest {
  readonly stage: Stage;
  readonly by: readonly By[];
  /** How many of each. */
  readonly processes: Readonly<Record<Trade, number>>;
  /** What the caches are: the smallest that may be believed, or the client's. Default: cache. */
  readonly caches?: 'cache' | 'client-cache';
  onMessage(trade: Trade, message: FromChild): void;
}

export interface Crew {
  tellAll(message: ToChild): void;
  /** The caches take turns. */
  cutCache(how: HowToCut): void;
  /** Rejects when one of them ends that was not told to. */
  readonly failure: Promise<never>;
  /** Resolves when all have told what was left to tell; rejects when one does not end. */
  stop(): Promise<void>;
  kill(): void;
}

interface Member {
  readonly trade: Trade;
  readonly process: ChildProcess;
}

const CALLERS: Readonly<Record<Trade, string>> = { reader: 'reader', revoker: 'security', cache: 'cache' };
const STOP_TIMEOUT_MS = 60_000;

export function startCrew({ stage, by, processes, caches: cache = 'cache', onMessage }: CrewRequest): Crew {
  const members = (['reader', 'revoker', 'cache'] as const).flatMap((trade) =>
    Array.from({ length: processes[trade] }, (_, index): Member => {
      const setup: ChildSetup = { targets: stage.targets, tls: stage.tls(CALLERS[trade]), by, index };
      const script = fileURLToPath(new URL(`./children/${trade === 'cache' ? cache : trade}.js`, import.meta.url));
      return {
        trade,
        process: fork(script, [JSON.stringify(setup)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
      };
    }),
  );
  const caches = members.filter(({ trade }) => trade === 'cache');
  let turn = 0;
  let isOver = false;
  const failure = new Promise<never>((_, reject) => {
    for (const { trade, process } of members) {
      process.on('message', (message: FromChild) => onMessage(trade, message));
      process.once('exit', (code) => {
        if (!isOver) reject(new Error(`a ${trade} ended with exit code ${code}`));
      });
    }
  });
  failure.catch(() => undefined);

  // One that ended on purpose hears nothing.
  const tell = ({ process }: Member, message: ToChild): void => {
    if (process.connected) process.send(message, () => undefined);
  };
  const tellAll = (message: ToChild): void => {
    for (const member of members) tell(member, message);
  };

  return {
    tellAll,
    cutCache: (how) => {
      const member = caches[turn++ % caches.length];
      if (member !== undefined) tell(member, { kind: 'cut', how });
    },
    failure,
    stop: async () => {
      isOver = true;
      // It comes behind the last message, which the exit may overtake.
      const ended = Promise.all(members.map(({ process }) => once(process, 'disconnect')));
      tellAll({ kind: 'stop' });
      const late = sleep(STOP_TIMEOUT_MS, 'late', { ref: false });
      if ((await Promise.race([ended, late])) === 'late') throw new Error('a process did not end');
    },
    kill: () => {
      isOver = true;
      for (const { process } of members) process.kill('SIGKILL');
    },
  };
}
