// Started as a process: what the client's cache takes in memory, and how long a drop stops everything else.
import { randomBytes } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Answer } from '../client/src/near-cache.js';
import { answerParent } from './child.js';

export interface CacheQuestion {
  readonly entries: number;
}

export interface CacheSample {
  /** Of an entry with eight drop keys and the claims that callers see by default. */
  readonly bytes: number;
  /** What the cache counts for it, against `maxBytes`. */
  readonly countedBytes: number;
  readonly dropOneMs: number;
  readonly dropTenthMs: number;
  readonly dropAllMs: number;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

// Not part of the package's interface.
const { createNearCache } = (await import(
  new URL('near-cache.js', import.meta.resolve('@introspectd/client')).href
)) as typeof import('../client/src/near-cache.js');
const { countBytes } = (await import(
  new URL('entry-bytes.js', import.meta.resolve('@introspectd/client')).href
)) as typeof import('../client/src/entry-bytes.js');

answerParent<CacheQuestion, CacheSample>(async ({ entries }) => {
  const shared = { issuer: newTag(), client: newTag(), tenths: Array.from({ length: 10 }, newTag) };
  const before = usedBytes();
  const cache = createNearCache({ maxEntries: entries, maxBytes: Number.MAX_SAFE_INTEGER, maxInactiveEntries: 1 });
  for (let index = 0; index < entries; index++) {
    const answer = createAnswer(index, [shared.issuer, shared.client, shared.tenths[index % 10] ?? '']);
    cache.answer(cache.ask(), newTag(), answer);
  }
  const bytes = (usedBytes() - before) / entries;
  const countedBytes = cache.size.bytes / entries;
  const own = newTag();
  cache.answer(cache.ask(), newTag(), createAnswer(0, [shared.issuer, shared.client, own]));
  return {
    bytes,
    countedBytes,
    dropOneMs: timeMs(() => cache.drop(own)),
    dropTenthMs: timeMs(() => cache.drop(shared.tenths[0] ?? '')),
    dropAllMs: timeMs(() => cache.drop(shared.issuer)),
  };
});

function createAnswer(index: number, tags: readonly string[]): Answer {
  const result = Object.freeze({
    active: true as const,
    iss: 'https://login.example',
    exp: 2_000_000_000,
    scope: `read write tenant:${index}`,
    client_id: `client-${index % 100}`,
    iat: 1_790_000_000 + index,
    sub: `user-${index}`,
    aud: Object.freeze([`https://orders.example/${index % 10}`]),
    jti: `jti-${index}-abcdefgh`,
    token_use: 'access_token' as const,
  });
  const dropKeys = [newKey(), newTag(), newTag(), newTag(), newTag(), ...tags];
  const end = { monotonicMs: performance.now() + 60_000 + index, wallMs: Date.now() + 60_000 + index };
  return { result, dropKeys, end, bytes: countBytes(result, dropKeys) };
}

function newTag(): string {
  return randomBytes(16).toString('latin1');
}

function newKey(): string {
  return randomBytes(32).toString('base64url');
}

function usedBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function timeMs(work: () => void): number {
  const startMs = performance.now();
  work();
  return performance.now() - startMs;
}
