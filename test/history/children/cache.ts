// Reads through a cache that watches, over connections that can be cut; the first cache drops all when it loses the
// watch, the others go on where it ended.
import { setTimeout as sleep } from 'node:timers/promises';
import { startCuttingProxy } from '../../support/cutting-proxy.js';
import { call, connectTo, toAnswer } from '../calls.js';
import { openChildChannel, pause } from '../child-channel.js';
import { monotonicMs, type Read } from '../history.js';
import { createReferenceCache } from '../reference-cache.js';
import { describeToken } from '../tokens.js';

const LOOPS = 3;
const PAUSE_MS = 30;
/** After an answer from memory, which costs nobody anything. */
const KEPT_PAUSE_MS = 8;
const TIMEOUT_MS = 1000;
/** Asked for again and again, so that many answers come from memory and some are revoked in it. */
const FAVOURITES = 60;
const FORGET = 0.3;
const REPEATED = 0.95;
const CUT_MS = 300;
const SILENT_MS = 2000;

const channel = openChildChannel();
const { setup, known } = channel;
const counts = { 'watches lost': 0 };
const proxies = await Promise.all(
  setup.targets.map((target) => startCuttingProxy(Number(target.slice(target.lastIndexOf(':') + 1)))),
);
const servers = setup.targets.map((target) => connectTo(target, setup.tls));
const favourites: number[] = [];
let turn = setup.index;

const cache = createReferenceCache({
  open: () => {
    turn += 1;
    const client = connectTo(`localhost:${proxies[turn % proxies.length]?.port}`, setup.tls);
    return { watch: client.watchRevocations(), close: () => client.close() };
  },
  fetch: (token) => {
    const server = servers[Math.floor(Math.random() * servers.length)];
    if (server === undefined) throw new Error('there are servers');
    const request = { token: describeToken(token).token, tokenTypeHint: '', audiences: [], includeTags: true };
    return call(server.introspect.bind(server), request, TIMEOUT_MS);
  },
  afterLoss: setup.index === 0 ? 'drop' : 'keep',
  onLost: () => {
    counts['watches lost'] += 1;
  },
});

channel.onCut((how) => void cut(how === 'reset' ? 'reset' : 'silence'));
await channel.run(Array.from({ length: LOOPS }, readLoop), () => counts);

async function readLoop(): Promise<void> {
  while (!channel.stopped) {
    const token = pickFavourite();
    const done = token === undefined ? undefined : await read(token);
    if (done !== undefined) channel.record([done]);
    await pause(done?.from === 'cache' ? KEPT_PAUSE_MS : PAUSE_MS);
  }
}

async function read(token: number): Promise<Read> {
  const invokeMs = monotonicMs();
  const kept = cache.find(token);
  const response = kept ?? (await cache.ask(token));
  const answer = response === undefined ? 'error' : toAnswer(token, response);
  // Asked once more now and then, for it must stay dead; the room is for those that live.
  if (answer === 'inactive' && Math.random() < FORGET) forget(token);
  return { token, invokeMs, returnMs: monotonicMs(), answer, from: kept === undefined ? 'server' : 'cache' };
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

async function cut(how: 'reset' | 'silence'): Promise<void> {
  for (const proxy of proxies) {
    if (how === 'reset') proxy.cutAfterBytes(0);
    else proxy.swallow('all');
  }
  await sleep(how === 'reset' ? CUT_MS : SILENT_MS);
  for (const proxy of proxies) {
    proxy.cutAfterBytes(undefined);
    proxy.swallow('nothing');
  }
}
