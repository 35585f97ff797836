// Reads through @introspectd/client as services use it: its own cache, over connections that are cut, silent or slow.
import { setTimeout as sleep } from 'node:timers/promises';
import { createIntrospectionClient, IntrospectionError, type IntrospectionResult } from '@introspectd/client';
import { startCuttingProxy } from '../../support/cutting-proxy.js';
import { openChildChannel, pause } from '../child-channel.js';
import { type Answer, monotonicMs, type Read } from '../history.js';
import type { HowToCut } from '../messages.js';
import { describeToken } from '../tokens.js';

const LOOPS = 10;
const PAUSE_MS = 15;
/** After an answer from memory, which costs nobody anything. */
const KEPT_PAUSE_MS = 0;
const TIMEOUT_MS = 1000;
/** Asked for again and again, so that many answers come from memory and some are revoked in it. */
const FAVOURITES = 60;
const REPEATED = 0.98;
const FORGET = 0.5;
const FRESH = 0.02;
const LOOK_EVERY_MS = 20;
const CUT_MS = 300;
const SILENT_MS = 2000;
const DELAY_MS = 400;
/** What faults on the way may lead to. Any other error is a defect, and ends the process. */
const DOUBT: readonly string[] = ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'CANCELLED', 'UNKNOWN', 'INTERNAL'];

const channel = openChildChannel();
const { setup, known } = channel;
const proxies = await Promise.all(
  setup.targets.map((target) => startCuttingProxy(Number(target.slice(target.lastIndexOf(':') + 1)))),
);
const client = createIntrospectionClient({
  target: `ipv4:${proxies.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
  tls: { ...setup.tls, serverName: 'localhost' },
  timeoutMs: TIMEOUT_MS,
});
const favourites: number[] = [];
const pending = new Map<number, number>();
let looks = 0;
let leased = 0;
setInterval(() => {
  looks += 1;
  if (client.stats().cache === 'leased') leased += 1;
}, LOOK_EVERY_MS).unref();

channel.onCut((how) => void cut(how));
await channel.run(Array.from({ length: LOOPS }, readLoop), () => {
  const { hits, resets, drops } = client.stats();
  return {
    [`${setup.index} from memory`]: hits,
    [`${setup.index} percent of the time with a lease`]: Math.round((100 * leased) / Math.max(1, looks)),
    resets,
    'revocations of what was in memory': drops,
  };
});

async function readLoop(): Promise<void> {
  while (!channel.stopped) {
    const token = pickFavourite();
    const done = token === undefined ? undefined : await read(token);
    if (done !== undefined) channel.record([done]);
    await pause(done?.from === 'cache' ? KEPT_PAUSE_MS : PAUSE_MS);
  }
}

async function read(token: number): Promise<Read> {
  const fresh = Math.random() < FRESH;
  const invokeMs = monotonicMs();
  const before = countHits();
  const asking = client.introspect(describeToken(token).token, { fresh });
  // A call that finds another on its way may share its answer, which is as if it came from memory.
  const isShared = !fresh && (pending.get(token) ?? 0) > 0;
  const from = countHits() > before || isShared ? 'cache' : 'server';
  count(token, 1);
  const answer = await asking.then((result) => toAnswer(token, result), toDoubt);
  count(token, -1);
  // Asked once more now and then, for it must stay dead; the room is for those that live.
  if (answer === 'inactive' && Math.random() < FORGET) forget(token);
  return { token, invokeMs, returnMs: monotonicMs(), answer, from };
}

function toAnswer(token: number, result: IntrospectionResult): Answer {
  if (!result.active) return 'inactive';
  const { iss, sub, clientId, jti } = describeToken(token);
  return result.iss === iss && result.sub === sub && result.client_id === clientId && result.jti === jti
    ? 'active'
    : 'wrong';
}

function toDoubt(error: unknown): Answer {
  if (error instanceof IntrospectionError && DOUBT.includes(error.code)) return 'error';
  throw error;
}

function countHits(): number {
  const { hits, inactiveHits } = client.stats();
  return hits + inactiveHits;
}

function count(token: number, change: number): void {
  pending.set(token, (pending.get(token) ?? 0) + change);
  if (pending.get(token) === 0) pending.delete(token);
}

function pickFavourite(): number | undefined {
  const again = favourites[Math.floor(Math.random() * FAVOURITES)];
  if (again !== undefined && Math.random() < REPEATED) return again;
  const token = known.pickNewest();
  if (token === undefined) return undefined;
  if (favourites.length < FAVOURITES) favourites.push(token);
  else favourites[Math.floor(Math.random() * FAVOURITES)] = token;
  return token;
}

function forget(token: number): void {
  const place = favourites.indexOf(token);
  if (place >= 0) favourites.splice(place, 1);
}

async function cut(how: HowToCut): Promise<void> {
  for (const proxy of proxies) {
    if (how === 'reset') proxy.cutAfterBytes(0);
    else if (how === 'silence') proxy.swallow('all');
    else proxy.delay(DELAY_MS);
  }
  await sleep(how === 'reset' ? CUT_MS : SILENT_MS);
  for (const proxy of proxies) {
    proxy.cutAfterBytes(undefined);
    proxy.swallow('nothing');
    proxy.delay(0);
  }
}
