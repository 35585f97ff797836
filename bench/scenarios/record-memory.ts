// What a record takes in Redis: registered through the engine, next to plain keys and values that are as long and expire.
// Memory is counted by Redis itself, so a busy machine changes nothing.
import { hash, randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { formatNewKeys, parseKeyRing } from '../../src/core/key-ring.js';
import { type CallerRule, createPolicy } from '../../src/core/policy.js';
import { createRegister, type RegisterItem } from '../../src/core/register.js';
import type { TokenSha256 } from '../../src/core/token.js';
import type { TokenClaims } from '../../src/gen/introspectd/v1/token_claims.js';
import { encodeClaims } from '../../src/grpc/claims-codec.js';
import { openRedisTokenStore } from '../../src/store/redis-token-store.js';
import type { Bench } from '../bench-context.js';
import { AUDIENCE, ISSUER } from '../corpus.js';
import { type FigureGroup, type FigureRow, toFigureRows } from '../figures.js';
import { formatNumber } from '../numbered-body.js';
import { type RedisServer, startRedisServer } from '../redis-server.js';

/** Both fill the hash tables of Redis, which double, to 95 %. */
const RECORDS = { quick: 125_000, full: 1_000_000, large: 1_000_000 } as const;
const CLAIMS_BYTES = 150;
const BATCH = 500;
const BATCHES_AT_ONCE = 4;
const TTL_SECONDS = 3 * 3600;
const TIMEOUT_MS = 10_000;
const SETTLE_MS = 200;
const NO_LOGIN = { username: undefined, password: undefined, tls: undefined, allowVolatile: false };

interface Filled {
  readonly bytesEach: number;
  /** Of one key and its value, all alike. */
  readonly keyBytes: number;
  readonly valueBytes: number;
}

type Tokens = 'of an access token' | 'of a login';

const ISSUER_RULE: CallerRule = {
  name: 'issuer',
  identities: ['spiffe://bench/issuer'],
  permissions: ['register'],
  revoke: [],
  issuers: [ISSUER],
  audiences: ['*'],
  tokenUse: undefined,
  claims: undefined,
};

export function toRecordName(tokens: Tokens, what: 'alone' | 'over SET'): string {
  return what === 'alone' ? `a record ${tokens}` : `a record ${tokens} / SET of as long a key and value`;
}

/** Empty where there is no redis-server. */
export async function measureRecordMemory({ size, folder }: Bench): Promise<readonly FigureGroup[]> {
  const records = RECORDS[size];
  const rows: FigureRow[] = [];
  for (const tokens of ['of an access token', 'of a login'] as const) {
    const ours = await inNewRedis(folder, (redis) => fillThroughEngine(redis, records, tokens));
    if (ours === undefined) return [];
    const plain = await inNewRedis(folder, (redis) => fillPlainly(redis, records, ours));
    if (plain === undefined) return [];
    const heads = {
      ratio: { name: toRecordName(tokens, 'over SET'), unit: 'x', goal: '1.1 at most' },
      ours: {
        name: `${toRecordName(tokens, 'alone')} (key ${ours.keyBytes} B, value ${ours.valueBytes} B)`,
        unit: 'B',
        goal: '400 B at most',
      },
      plain: { name: 'SET of as long a key and value, PXAT', unit: 'B' },
    } as const;
    rows.push(
      ...toFigureRows(
        [{ ours: ours.bytesEach, plain: plain.bytesEach, ratio: ours.bytesEach / plain.bytesEach }],
        heads,
      ),
    );
  }
  const title = `Memory of Redis, ${records.toLocaleString('en-US')} records with ${CLAIMS_BYTES} B of claims`;
  return [{ title, rows }];
}

async function inNewRedis<Result>(
  folder: string,
  work: (redis: RedisServer) => Promise<Result>,
): Promise<Result | undefined> {
  const path = join(folder, randomBytes(8).toString('hex'));
  mkdirSync(path);
  const redis = await startRedisServer(path);
  try {
    return redis && (await work(redis));
  } finally {
    await redis?.stop();
  }
}

async function fillThroughEngine(server: RedisServer, records: number, tokens: Tokens): Promise<Filled> {
  const keyRing = parseKeyRing(formatNewKeys(randomBytes));
  const store = await openRedisTokenStore({
    server: { ...server, keyPrefix: 'introspectd:', ...NO_LOGIN },
    keyChecks: keyRing.checks,
    defaults: { maxTokenTtlMs: 30 * 86_400_000, leaseMs: 2000, partitions: 1 },
    logEntries: 1_000_000,
    timeoutMs: TIMEOUT_MS,
  });
  const register = createRegister({ keyRing, store });
  const caller = createPolicy([ISSUER_RULE]).getCaller(ISSUER_RULE.identities);
  const filled = await fill(server, records, async (first, count) => {
    const items = Array.from({ length: count }, (_, index) => makeItem(first + index, tokens));
    const faults = (await register.many(caller, items)).filter((fault) => fault !== undefined);
    if (faults.length > 0) throw new Error('a record was not registered');
  });
  await store.close();
  return filled;
}

function fillPlainly(server: RedisServer, records: number, { keyBytes, valueBytes }: Filled): Promise<Filled> {
  const client = new Redis(server.url);
  const expiresAtMs = Date.now() + TTL_SECONDS * 1000;
  const value = Buffer.alloc(valueBytes, 'x');
  return fill(server, records, async (first, count) => {
    const pipeline = client.pipeline();
    for (let index = first; index < first + count; index++)
      pipeline.set(formatNumber(index).padEnd(keyBytes, '-'), value, 'PXAT', expiresAtMs);
    await pipeline.exec();
  }).finally(() => client.disconnect());
}

/** Writes all of them, a few batches at a time, and looks at what has grown. */
async function fill(
  { url }: RedisServer,
  records: number,
  write: (first: number, count: number) => Promise<void>,
): Promise<Filled> {
  const admin = new Redis(url);
  // While it rewrites its file, Redis does not double its tables.
  await admin.config('SET', 'auto-aof-rewrite-percentage', '0');
  const beforeBytes = await readUsedMemory(admin);
  const had = await admin.dbsize();
  for (let first = 0; first < records; first += BATCH * BATCHES_AT_ONCE) {
    const starts = Array.from({ length: BATCHES_AT_ONCE }, (_, index) => first + index * BATCH);
    await Promise.all(starts.filter((start) => start < records).map((start) => write(start, BATCH)));
  }
  const grownBytes = (await readUsedMemory(admin)) - beforeBytes;
  if ((await admin.dbsize()) !== had + records) throw new Error('not all of them are there');
  const key = await findRecordKey(admin);
  const valueBytes = await admin.strlen(key);
  admin.disconnect();
  return { bytesEach: grownBytes / records, keyBytes: key.length, valueBytes };
}

/** Once it stays the same: buffers of clients and tables that move are not what is asked about. */
async function readUsedMemory(admin: Redis): Promise<number> {
  const read = async () => Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1]);
  let [last, used] = [0, await read()];
  while (used !== last) {
    await sleep(SETTLE_MS);
    [last, used] = [used, await read()];
  }
  return used;
}

async function findRecordKey(admin: Redis): Promise<string> {
  for (;;) {
    const key = await admin.randomkey();
    if (key !== null && (await admin.pttl(key)) > 0) return key;
  }
}

function makeItem(number: number, tokens: Tokens): RegisterItem {
  const claims = makeClaims(number, tokens);
  const missing = CLAIMS_BYTES - encodeClaims(claims).encoded.length;
  const { judged, encoded, mask } = encodeClaims({ ...claims, scope: `${claims.scope}${'x'.repeat(missing)}` });
  if (encoded.length !== CLAIMS_BYTES) throw new Error('the claims have another length');
  const sha256 = hash('sha256', `token-${number}`, 'hex') as TokenSha256;
  return { sha256, claims: judged, encoded, mask, issuedAtMs: undefined };
}

/** An access token belongs to six things; one of a login with OpenID Connect to a session and a grant besides. */
function makeClaims(number: number, tokens: Tokens): TokenClaims {
  const iat = BigInt(Math.floor(Date.now() / 1000));
  return {
    iss: ISSUER,
    aud: [AUDIENCE],
    sub: `u${formatNumber(number)}`,
    clientId: 'web',
    scope: 'r',
    jti: `j${formatNumber(number)}`,
    tokenUse: 1,
    iat,
    exp: iat + BigInt(TTL_SECONDS),
    authorizationDetails: [],
    ...(tokens === 'of a login' ? { sid: `s${formatNumber(number)}`, grantId: `g${formatNumber(number)}` } : {}),
  };
}
