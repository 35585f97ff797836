// A history: processes that register, read, revoke and cache at three daemons while faults come, all of it written down.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Bounds, countReadsAfterRevoke, findViolations, type Violation } from './checker.js';
import { findEffects } from './covering.js';
import { type Fault, startFaults } from './faults.js';
import { type By, type IssuedToken, monotonicMs, type Read, type Revoked } from './history.js';
import { createIssuer } from './issuer.js';
import type { ChildSetup, FromChild, ToChild } from './messages.js';
import type { Stage } from './stage.js';

export interface HistoryRequest {
  readonly stage: Stage;
  readonly by: readonly By[];
  readonly leaseMs: number;
  /** Reads, revokes, caches: how many processes of each. */
  readonly processes: Readonly<Record<'reader' | 'revoker' | 'cache', number>>;
  faults(cutCache: (how: 'reset' | 'silence') => void): readonly Fault[];
  readonly durationMs: number;
  /** A busy machine gets more time, up to three times as much, until so much has happened. */
  readonly atLeast: { readonly readsAfterRevoke: number; readonly cacheReads: number; readonly eachFault: number };
}

export interface HistoryResult {
  readonly violations: readonly Violation[];
  readonly faults: Readonly<Record<string, number>>;
  readonly counts: Readonly<Record<string, number>>;
  readonly readsAfterRevoke: number;
  readonly cacheReads: number;
}

const LONGEST = 3;
const ISSUE_EVERY_MS = 250;
const LOOK_EVERY_MS = 250;
const CHILD_STOP_MS = 30_000;
const BOUNDS: Pick<Bounds, 'toleranceMs' | 'clockMs'> = { toleranceMs: 50, clockMs: 5 };

export async function runHistory(request: HistoryRequest): Promise<HistoryResult> {
  const { stage, leaseMs, durationMs, atLeast } = request;
  const tokens: IssuedToken[] = [];
  const revoked: Revoked[] = [];
  const reads: Read[] = [];
  const counts: Record<string, number> = {};
  const children = startChildren(request);
  const tellAll = (message: ToChild) => {
    // One that ended on purpose hears nothing; one that ended otherwise is told of by failWhenOneEnds.
    for (const { process } of children) if (process.connected) process.send(message, () => undefined);
  };
  for (const { name, process } of children) {
    process.on('message', (message: FromChild) => {
      if (message.kind === 'reads') reads.push(...message.reads);
      else if (message.kind === 'revoked') {
        revoked.push(...message.revoked);
        tellAll({
          kind: 'revoked',
          tokens: message.revoked.filter((one) => one.acknowledged).map(({ token }) => token),
        });
      } else {
        for (const [what, count] of Object.entries(message.counts)) {
          counts[`${name} ${what}`] = (counts[`${name} ${what}`] ?? 0) + count;
        }
      }
    });
  }

  const issuer = createIssuer(stage.targets, stage.tls('login'));
  const stopping = new AbortController();
  const issuing = (async () => {
    while (!stopping.signal.aborted) {
      const issued = await issuer.issue();
      tokens.push(...issued);
      tellAll({ kind: 'issued', tokens: issued.map(({ id }) => id) });
      await sleep(ISSUE_EVERY_MS);
    }
  })();
  const failed = failWhenOneEnds(children, issuing);
  const caches = children.filter(({ name }) => name === 'cache').map(({ process }) => process);
  let turn = 0;
  const faults = startFaults(request.faults((how) => void caches[turn++ % caches.length]?.send({ kind: 'cut', how })));

  const toHistory = () => ({ tokens, effects: findEffects(tokens, revoked), reads });
  const startMs = monotonicMs();
  const isEnough = (): boolean => {
    const passedMs = monotonicMs() - startMs;
    if (passedMs < durationMs) return false;
    if (passedMs >= durationMs * LONGEST) return true;
    return (
      Math.min(...faults.counts.values()) >= atLeast.eachFault &&
      countCacheReads(reads) >= atLeast.cacheReads &&
      countReadsAfterRevoke(toHistory()) >= atLeast.readsAfterRevoke
    );
  };
  try {
    while (!isEnough()) await Promise.race([sleep(LOOK_EVERY_MS), failed.promise]);
    await Promise.race([faults.stop(), failed.promise]);
    stopping.abort();
    await issuing;
    failed.release();
    const ended = Promise.all(children.map(({ process }) => once(process, 'exit')));
    tellAll({ kind: 'stop' });
    await Promise.race([ended, sleep(CHILD_STOP_MS, undefined, { ref: false })]);
  } finally {
    stopping.abort();
    issuer.close();
    for (const { process } of children) process.kill('SIGKILL');
  }
  const history = toHistory();
  return {
    violations: findViolations(history, { ...BOUNDS, leaseMs }),
    faults: Object.fromEntries(faults.counts),
    readsAfterRevoke: countReadsAfterRevoke(history),
    cacheReads: countCacheReads(reads),
    counts: {
      seconds: Math.round((monotonicMs() - startMs) / 1000),
      tokens: tokens.length,
      'revocations acknowledged': revoked.filter(({ acknowledged }) => acknowledged).length,
      'revocations that waited for caches': revoked.filter((one) => one.acknowledged && one.waitsForCaches).length,
      'reads answered by servers': reads.filter(({ from, answer }) => from === 'server' && answer !== 'error').length,
      'reads without an answer': reads.filter(({ answer }) => answer === 'error').length,
      ...counts,
    },
  };
}

function countCacheReads(reads: readonly Read[]): number {
  return reads.filter(({ from }) => from === 'cache').length;
}

interface Child {
  readonly name: 'reader' | 'revoker' | 'cache';
  readonly process: ChildProcess;
}

function startChildren({ stage, by, processes }: HistoryRequest): readonly Child[] {
  const callers = { reader: 'reader', revoker: 'security', cache: 'cache' } as const;
  return (['reader', 'revoker', 'cache'] as const).flatMap((name) =>
    Array.from({ length: processes[name] }, (_, index) => {
      const setup: ChildSetup = { targets: stage.targets, tls: stage.tls(callers[name]), by, index };
      const script = fileURLToPath(new URL(`./children/${name}.js`, import.meta.url));
      return {
        name,
        process: fork(script, [JSON.stringify(setup)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
      };
    }),
  );
}

/** A process that ends before it is told to, or an issuer that fails, ends the history. */
function failWhenOneEnds(children: readonly Child[], issuing: Promise<void>) {
  let isOver = false;
  const promise = new Promise<never>((_, reject) => {
    for (const { name, process } of children) {
      process.once('exit', (code) => {
        if (!isOver) reject(new Error(`a ${name} ended with exit code ${code}`));
      });
    }
    issuing.catch(reject);
  });
  promise.catch(() => undefined);
  return {
    promise,
    release: () => {
      isOver = true;
    },
  };
}
