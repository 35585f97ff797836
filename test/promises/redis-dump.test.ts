// Promise 7 on Redis: what it writes to its disk holds no token, and no claim beside the claims that it stores.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { decodeEntry as decodeTokenEntry } from '../../src/core/entry.js';
import { createRedisKeys } from '../../src/store/redis-keys.js';
import { decodeEntry } from '../../src/store/value-layout.js';
import { type InProcessDaemon, startInProcessDaemon } from '../support/in-process-daemon.js';
import { REDIS_MISSING, startRedis, type TestRedis } from '../support/redis-server.js';

const KEYS = createRedisKeys('introspectd:');
const OWN = [KEYS.meta, KEYS.log, KEYS.live, KEYS.liveExpiry, KEYS.unknown];
const canary = (name: string) => `${name}-${randomBytes(12).toString('hex')}`;

describe('what Redis keeps', { skip: REDIS_MISSING }, () => {
  const tokens = { known: canary('known'), revoked: canary('revoked'), unknown: canary('unknown') };
  const toClaims = (name: string) => ({
    ...{ sub: canary(`sub-${name}`), clientId: canary(`client-${name}`), scope: canary(`scope-${name}`) },
    ...{ jti: canary(`jti-${name}`), grantId: canary(`grant-${name}`), sessionId: canary(`session-${name}`) },
  });
  const claims = { known: toClaims('known'), revoked: toClaims('revoked') };
  let redis: TestRedis;
  let daemon: InProcessDaemon;
  /** The claims of each record, as they are stored. */
  const stored: Buffer[] = [];
  before(async () => {
    // Uncompressed, so that its files can be searched.
    redis = await startRedis(['--appendonly', 'yes', '--appendfsync', 'always', '--rdbcompression', 'no']);
    daemon = await startInProcessDaemon((store) => store, { store: { kind: 'redis', url: redis.url } });
    await daemon.register([
      { token: tokens.known, claims: claims.known },
      { token: tokens.revoked, claims: { ...claims.revoked, tokenUse: 2 } },
    ]);
    for (const key of await redis.admin.keys(`${KEYS.entry('' as never)}*`)) {
      const value = await redis.admin.getBuffer(key);
      assert.ok(value);
      stored.push(Buffer.from(decodeTokenEntry(decodeEntry(value).bytes).claims));
    }
    assert.equal(stored.length, 2);
    await daemon.client('security').revoke(tokens.revoked);
    await daemon.client('security').revoke(tokens.unknown);
    await daemon.client('orders').introspect(tokens.known);
    await redis.admin.save();
  });
  after(async () => {
    await daemon.stop();
    await redis.close();
  });

  it('is no token, in no spelling, in dump and append-only file', () => {
    const files = readFiles(redis.folder);
    assert.ok(files.has('dump.rdb'));
    assert.ok([...files.keys()].some((name) => name.endsWith('.aof')));
    for (const [name, bytes] of files) {
      for (const token of Object.values(tokens)) {
        for (const spelling of toSpellings(token)) assert.ok(!bytes.includes(spelling), `${name} holds a token`);
      }
    }
  });

  it('is no claim beside the stored claims, and none of a revoked token in the dump', () => {
    const seen = new Set<string>();
    for (const [name, bytes] of readFiles(redis.folder)) {
      const rest = stored.reduce(cutOut, bytes);
      for (const claim of [...Object.values(claims.known), ...Object.values(claims.revoked)]) {
        if (bytes.includes(claim)) seen.add(name);
        assert.ok(!rest.includes(claim), `${name} holds ${claim} outside the claims`);
      }
      if (!name.endsWith('.rdb')) continue;
      for (const claim of Object.values(claims.revoked)) assert.ok(!bytes.includes(claim), `${name} holds ${claim}`);
    }
    assert.ok(seen.has('dump.rdb') && seen.size > 1, 'claims are found where they are stored');
  });

  it('expires, but for the log, what is live and meta', async () => {
    const keys = await redis.admin.keys('*');
    for (const key of keys) {
      assert.ok(key.startsWith('introspectd:{p00}:'), key);
      assert.equal((await redis.admin.pttl(key)) > 0, !OWN.includes(key), key);
    }
    assert.deepEqual(
      OWN.filter((key) => !keys.includes(key)),
      [],
      'all keys of the layout were in use',
    );
    assert.equal(keys.length, OWN.length + Object.keys(tokens).length);
  });
});

function toSpellings(token: string): (string | Buffer)[] {
  const digest = createHash('sha256').update(token).digest();
  const encodings = ['hex', 'base64', 'base64url'] as const;
  return [token, digest, ...[Buffer.from(token), digest].flatMap((bytes) => encodings.map((to) => bytes.toString(to)))];
}

function cutOut(bytes: Buffer, part: Buffer): Buffer {
  const text = bytes.toString('latin1').replaceAll(part.toString('latin1'), '');
  return Buffer.from(text, 'latin1');
}

function readFiles(folder: string): Map<string, Buffer> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  return new Map(files.map(({ name, parentPath }) => [name, readFileSync(join(parentPath, name))]));
}
