// Files that change under a running daemon: looked at twice a second, read whole, and put into use only when all of it
// is good. fs.watch is not enough: it says nothing of a symbolic link that is turned, and follows no file renamed over.
import { setTimeout as sleep } from 'node:timers/promises';
import { FaultsError } from '../config/faults.js';
import { readFingerprint } from '../config/file-fingerprint.js';
import type { LogFields, Logger } from '../telemetry/logger.js';
import type { ReloadObserver } from '../telemetry/reload-metrics.js';
import { toSafeFields } from '../telemetry/safe-error.js';

export type ReloadedPart = 'tls' | 'policy';

/** Files that are read, checked and put into use together. */
export interface ReloadPart {
  readonly name: ReloadedPart;
  readonly paths: readonly string[];
  /** readFingerprint() of them from before they were read for what is in use now. */
  readonly fingerprint: string;
  /** Reads and checks all of them; the result puts them into use. Rejects, or throws then, and nothing has changed. */
  load(): Promise<() => void>;
}

export interface ReloaderDeps {
  readonly parts: readonly ReloadPart[];
  readonly logger: Logger;
  readonly metrics: ReloadObserver;
}

export interface Reloader {
  /** Loads all parts, changed or not. Never rejects. */
  reloadNow(): Promise<void>;
  stop(): void;
}

const EVERY_MS = 500;
/** Between attempts at files that are bad and do not change: a certificate may only not be valid yet. */
const RETRY_MS = 5000;
const MAX_PATH_LENGTH = 200;

export function startReloader({ parts, logger, metrics }: ReloaderDeps): Reloader {
  const stopped = new AbortController();
  const watched = parts.map((part) => watchPart(part, { logger, metrics }));
  let turn = Promise.resolve();
  const inTurn = (work: (part: WatchedPart) => Promise<void>): Promise<void> => {
    turn = turn.then(async () => {
      for (const part of watched) if (!stopped.signal.aborted) await work(part);
    });
    return turn;
  };
  void (async () => {
    while (!stopped.signal.aborted) {
      await sleep(EVERY_MS, undefined, { ref: false, signal: stopped.signal }).catch(() => undefined);
      await inTurn((part) => part.look());
    }
  })();
  return { reloadNow: () => inTurn((part) => part.reload()), stop: () => stopped.abort() };
}

interface WatchedPart {
  /** Loads what has changed and then stayed the same for one look, so that files that belong together come together. */
  look(): Promise<void>;
  reload(): Promise<void>;
}

function watchPart(part: ReloadPart, { logger, metrics }: Omit<ReloaderDeps, 'parts'>): WatchedPart {
  let seen = part.fingerprint;
  let tried = part.fingerprint;
  let triedAtMs = Number.NEGATIVE_INFINITY;
  let isGood = true;

  /** Undefined when the files changed while they were read: what was read is of no time, and the next look comes back. */
  async function attempt(): Promise<'reloaded' | { readonly error: unknown } | undefined> {
    const before = await readFingerprint(part.paths);
    const loading = await part.load().then(
      (apply) => ({ apply }),
      (error: unknown) => ({ error }),
    );
    if ((await readFingerprint(part.paths)) !== before) return undefined;
    tried = before;
    triedAtMs = performance.now();
    if ('error' in loading) return loading;
    try {
      loading.apply();
      return 'reloaded';
    } catch (error) {
      return { error };
    }
  }

  async function load(isQuiet: () => boolean): Promise<void> {
    const outcome = await attempt();
    if (outcome === undefined) return;
    if (outcome === 'reloaded') {
      isGood = true;
      logger.writeAlways('reloaded', { part: part.name });
      metrics.succeeded(part.name);
      return;
    }
    const wasToldBefore = isQuiet();
    isGood = false;
    if (wasToldBefore) return;
    logger.write('error', 'reload_failed', { part: part.name, ...toFaultFields(outcome.error) });
    metrics.failed(part.name);
  }

  return {
    look: async () => {
      const before = seen;
      seen = await readFingerprint(part.paths);
      if (seen !== before) return;
      const isTried = seen === tried;
      if (isTried && (isGood || performance.now() - triedAtMs < RETRY_MS)) return;
      await load(() => isTried && !isGood);
    },
    reload: () => load(() => false),
  };
}

/** Where the fault is, in the words of this program: nothing of what the file says. */
function toFaultFields(error: unknown): LogFields {
  if (!(error instanceof FaultsError)) return toSafeFields(error);
  const [fault] = error.faults;
  return {
    faults: error.faults.length,
    at: fault?.path.slice(0, MAX_PATH_LENGTH),
    where: fault?.origin,
    // What is said of a file as a whole is the YAML parser's, and may quote it.
    problem: fault?.path === '' ? undefined : fault?.problem,
  };
}
