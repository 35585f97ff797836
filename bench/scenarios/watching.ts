// How long a revocation takes to be known: to a read at another server, and to those who watch.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createIntrospectionClient } from '@introspectd/client';
import { type DaemonProcess, startDaemonProcess } from '../../src/cli/daemon-process.js';
import type { DevWorkspace } from '../../src/cli/dev-workspace.js';
import { parseKeyRing } from '../../src/core/key-ring.js';
import { startChild } from '../child.js';
import { ISSUER, REVOKED, registerCall, toToken } from '../corpus.js';
import type { Engine } from '../engines.js';
import { type FigureGroup, toFigureRows } from '../figures.js';
import { startLoadGenerator } from '../load-generator.js';
import { createBenchWorkspace, KEYS_FILE, toDaemonRequest } from '../site.js';
import type { SentRevocation, WatchersAnswer, WatchersQuestion } from '../watchers.js';

const WATCHERS = 100;
const PER_SECOND = 1000;
const STRONG_READS = 300;
const REGISTER_ITEMS = 100;
const WARM_UP_MS = 1000;
const TIMEOUT_MS = 10_000;

interface Servers {
  readonly workspace: DevWorkspace;
  /** Two on one store. */
  readonly one: DaemonProcess;
  readonly other: DaemonProcess;
}

export async function measureWatching(engine: Engine, rounds: number, windowMs: number): Promise<FigureGroup> {
  const workspace = await createBenchWorkspace(engine);
  const one = await startDaemonProcess(toDaemonRequest(workspace));
  const other = await startDaemonProcess(toDaemonRequest(workspace));
  try {
    const servers = { workspace, one, other };
    await registerTokens(servers, rounds * STRONG_READS);
    const reads = [];
    for (let round = 0; round < rounds; round++) reads.push(await readAtAnother(servers, round));
    const events = await tellWatchers(servers, rounds, windowMs);
    const read = 'Revoke at one daemon, then Introspect at another that says inactive';
    const event = `Revoke at one daemon until a watcher of another is told, ${PER_SECOND} a second, ${WATCHERS} watchers`;
    return {
      title: `Until a revocation is known, ${engine.name}`,
      rows: [
        ...toFigureRows(reads, {
          p50Ms: { name: `${read}, p50`, unit: 'ms' },
          p99Ms: { name: `${read}, p99`, unit: 'ms' },
        }),
        ...toFigureRows(events, {
          p50Ms: { name: `${event}, p50`, unit: 'ms' },
          p99Ms: { name: `${event}, p99`, unit: 'ms', goal: '10 ms at most' },
        }),
      ],
    };
  } finally {
    for (const daemon of [one, other]) await daemon.stop('SIGKILL');
    rmSync(workspace.folder, { recursive: true, force: true });
  }
}

async function registerTokens({ workspace, one }: Servers, count: number): Promise<void> {
  const range = { first: REVOKED.first, count };
  const generator = await startLoadGenerator({
    target: one.target,
    tls: workspace.tls('issuer'),
    call: registerCall(REGISTER_ITEMS, range),
    load: { connections: 1, streams: 1 },
  });
  await generator.send(Math.ceil(count / REGISTER_ITEMS));
  await generator.stop();
}

/** Throws when a token that was revoked is active: a figure of a wrong answer is worth nothing. */
async function readAtAnother({ workspace, one, other }: Servers, round: number): Promise<WatchersAnswer> {
  const revoker = createIntrospectionClient({
    target: one.target,
    tls: workspace.tls('issuer'),
    timeoutMs: TIMEOUT_MS,
  });
  const reader = createIntrospectionClient({
    target: other.target,
    tls: workspace.tls('whole'),
    timeoutMs: TIMEOUT_MS,
    // The promise is the daemon's: a client may answer from memory for as long as its lease.
    cache: false,
  });
  const timesMs: number[] = [];
  for (let index = 0; index < STRONG_READS; index++) {
    const token = toToken(REVOKED.first + round * STRONG_READS + index);
    if (!(await reader.introspect(token)).active) throw new Error('a registered token is inactive');
    const startedMs = performance.now();
    await revoker.revoke(token);
    const { active } = await reader.introspect(token);
    timesMs.push(performance.now() - startedMs);
    if (active) throw new Error('a revoked token is active');
  }
  await Promise.all([revoker.close(), reader.close()]);
  timesMs.sort((a, b) => a - b);
  return { p50Ms: timesMs[timesMs.length >> 1] ?? 0, p99Ms: timesMs[Math.floor(timesMs.length * 0.99)] ?? 0 };
}

async function tellWatchers(
  { workspace, one, other }: Servers,
  rounds: number,
  windowMs: number,
): Promise<readonly WatchersAnswer[]> {
  const watchers = startChild<WatchersQuestion, WatchersAnswer>('watchers');
  await watchers.ask({ kind: 'watch', target: other.target, tls: workspace.tls('watcher'), watchers: WATCHERS });
  const keyRing = parseKeyRing(readFileSync(join(workspace.folder, KEYS_FILE), 'utf8'));
  const revoker = createIntrospectionClient({
    target: one.target,
    tls: workspace.tls('issuer'),
    timeoutMs: TIMEOUT_MS,
  });
  let number = 0;
  const send = async (forMs: number): Promise<readonly SentRevocation[]> => {
    // Made before, and no call is kept once it is over: the collector of this process would be measured as well.
    const subs = Array.from({ length: (forMs * PER_SECOND) / 1000 }, () => `watched-${number++}`);
    const sentNs = new BigInt64Array(subs.length);
    let failure: unknown;
    let open = 0;
    const revoke = (sub: string) => {
      open++;
      revoker.revoke({ iss: ISSUER, sub }).then(
        () => open--,
        (error: unknown) => {
          failure = error;
          open--;
        },
      );
    };
    const startedMs = performance.now();
    for (let done = 0; done < subs.length || open > 0; ) {
      if (failure !== undefined) throw failure;
      const due = Math.min(((performance.now() - startedMs) * PER_SECOND) / 1000, subs.length);
      for (; done < due; done++) {
        sentNs[done] = process.hrtime.bigint();
        revoke(subs[done] ?? '');
      }
      await sleep(1);
    }
    return subs.map((sub, index) => ({
      tag: keyRing.sealTags('watcher', keyRing.tag('subject', ISSUER, sub)).toString('hex'),
      sentNs: sentNs[index] ?? 0n,
    }));
  };
  try {
    await watchers.ask({ kind: 'measure', sent: await send(WARM_UP_MS) });
    const samples: WatchersAnswer[] = [];
    for (let round = 0; round < rounds; round++) {
      samples.push(await watchers.ask({ kind: 'measure', sent: await send(windowMs) }));
    }
    return samples;
  } finally {
    await revoker.close();
    await watchers.stop();
  }
}
