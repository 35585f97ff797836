// The rules of revoking by something, on the reference store: which tags, until when, for whom.
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { RevocationSelector } from '@introspectd/client';
import type { JudgedClaims } from '../../src/core/claims.js';
import { createFence } from '../../src/core/fence.js';
import { createIntrospect } from '../../src/core/introspect.js';
import { TAG_KINDS } from '../../src/core/key-ring.js';
import { createPolicy } from '../../src/core/policy.js';
import { createRates } from '../../src/core/rates.js';
import { createReadBatcher } from '../../src/core/read-batcher.js';
import { createRegister } from '../../src/core/register.js';
import { createRevocationTable } from '../../src/core/revocation-table.js';
import { createRevoke } from '../../src/core/revoke.js';
import { parseToken, tokenSha256 } from '../../src/core/token.js';
import { END_OF_TIME_MS, type TokenStore } from '../../src/core/token-store.js';
import type { Selector } from '../../src/core/token-tags.js';
import { REVOKE_CASES, TOKENS, type TokenOfRow } from '../cases/revoke-cases.js';
import { HOUR_MS, LEASE_MS, RING, START_MS, type StoreHarness } from '../store/harness.js';
import { makeMemoryHarness } from '../store/memory-harness.js';

const ISSUER = 'https://login.example';
const FOREIGN = 'https://other.example';
const toSha256 = (name: string) => tokenSha256(parseToken(name, 100));
const caller = createPolicy([
  {
    name: 'all',
    identities: ['spiffe://mesh.test/all'],
    permissions: [],
    revoke: TAG_KINDS,
    issuers: [ISSUER, FOREIGN],
    audiences: ['*'],
    tokenUse: undefined,
    claims: undefined,
  },
]).getCaller(['spiffe://mesh.test/all']);

/** What a daemon has on its handle of the store. */
function createDaemon(store: TokenStore) {
  const table = createRevocationTable();
  const fence = createFence({ store, table });
  const batcher = createReadBatcher({ fence, schedule: setImmediate });
  const rates = createRates(() => 0);
  return {
    register: createRegister({ keyRing: RING, store }),
    revoke: createRevoke({ keyRing: RING, store, fence, maxUnknownTombstones: 10, rates }),
    introspect: createIntrospect({ keyRing: RING, fence, batcher, table, now: () => START_MS }),
  };
}

describe('revoking all of something', () => {
  let harness: StoreHarness;
  let first: ReturnType<typeof createDaemon>;
  let second: ReturnType<typeof createDaemon>;
  beforeEach(async () => {
    harness = await makeMemoryHarness();
    first = createDaemon(harness.store);
    second = createDaemon(await harness.openSecond());
  });

  const register = async (tokens: readonly TokenOfRow[], issuedAtMs?: number) => {
    const items = tokens.map((token) => ({
      sha256: toSha256(token.name),
      claims: toClaims(token),
      encoded: Buffer.from(token.isForeign ? FOREIGN : ISSUER),
      mask: 0,
      issuedAtMs,
    }));
    return first.register.many(caller, items);
  };
  const findDead = async (daemon: typeof first, tokens = TOKENS) => {
    const names = tokens.map(({ name }) => name);
    const verdicts = await daemon.introspect.many(
      { caller, audiences: [] },
      names.map((name) => parseToken(name, 100)),
    );
    return names.filter((_, index) => {
      const verdict = verdicts[index];
      assert.ok(verdict !== undefined && !(verdict instanceof Error));
      return !verdict.active;
    });
  };

  for (const { by, kills } of REVOKE_CASES) {
    it(`by ${JSON.stringify(by)} kills what belongs to it, on every server and after a restart`, async () => {
      await register(TOKENS);
      assert.deepEqual(await findDead(second), []);
      const { leasesEndInMs } = await first.revoke.allOf(
        { selector: toSelector(by), issuedBeforeMs: undefined },
        caller,
      );
      assert.equal(leasesEndInMs, LEASE_MS);
      await harness.reopen();
      for (const daemon of [second, createDaemon(harness.store)]) {
        assert.deepEqual(await findDead(daemon), kills);
      }
    });
  }

  const BEFORE: readonly (readonly [by: RevokeCaseBy, issuedBeforeMs: number | undefined, beforeMs: number])[] = [
    [{ jti: 'j' }, undefined, END_OF_TIME_MS],
    [{ grant_id: 'g' }, undefined, END_OF_TIME_MS],
    [{ sid: 's' }, undefined, END_OF_TIME_MS],
    [{ sub: 'u' }, undefined, START_MS],
    [{ client_id: 'c' }, undefined, START_MS],
    [{ sub: 'u', client_id: 'c' }, undefined, START_MS],
    [{ all_tokens: true }, undefined, START_MS],
    [{ sub: 'u' }, START_MS - HOUR_MS, START_MS - HOUR_MS - 1],
    [{ all_tokens: true }, START_MS, START_MS - 1],
  ];
  for (const [by, issuedBeforeMs, beforeMs] of BEFORE) {
    it(`by ${JSON.stringify(by)} issued before ${issuedBeforeMs}: until ${beforeMs}`, async () => {
      const revoked = await first.revoke.allOf({ selector: toSelector(by), issuedBeforeMs }, caller);
      assert.deepEqual([revoked.beforeMs, revoked.iss], [beforeMs, ISSUER]);
    });
  }

  it('in the future is by the time of the store, whose clock may step back, and nothing is written then', async () => {
    const selector = toSelector({ sub: 'alice' });
    await register(TOKENS);
    const allOf = (issuedBeforeMs: number) => first.revoke.allOf({ selector, issuedBeforeMs }, caller);
    await assert.rejects(allOf(START_MS + 1), {
      reason: 'ISSUED_BEFORE_IN_FUTURE',
      violations: [{ field: 'issued_before', description: 'must not be in the future; leave it out for "now"' }],
    });
    assert.deepEqual(await findDead(second), []);
    harness.clockMs -= HOUR_MS;
    assert.equal((await allOf(START_MS)).beforeMs, START_MS - 1);
    harness.clockMs += HOUR_MS + 1;
    assert.equal((await allOf(START_MS + 1)).beforeMs, START_MS);
  });

  it('issued before an instant is exact to the millisecond', async () => {
    const tokens = [-1, 0, 1].map((offsetMs) => ({ name: `at${offsetMs}`, sub: 'alice', offsetMs }));
    for (const token of tokens) await register([token], START_MS - HOUR_MS + token.offsetMs);
    await first.revoke.allOf({ selector: toSelector({ sub: 'alice' }), issuedBeforeMs: START_MS - HOUR_MS }, caller);
    assert.deepEqual(await findDead(second, tokens), ['at-1']);
  });

  it('a login in the second after it lives; for good stays for good', async () => {
    for (const by of [{ sub: 'alice' }, { all_tokens: true }, { jti: 'late' }] as const) {
      await first.revoke.allOf({ selector: toSelector(by), issuedBeforeMs: undefined }, caller);
    }
    harness.clockMs += 1;
    const login = { name: 'after', sub: 'alice', clientId: 'web', jti: 'new' };
    assert.deepEqual(await register([login]), [undefined]);
    assert.deepEqual(await findDead(second, [login]), []);
    const [refused] = await register([{ ...login, name: 'late', jti: 'late' }]);
    assert.equal(refused?.reason, 'TOKEN_REVOKED');
  });

  it('of an issuer that is not the caller’s is refused, and nothing is written', async () => {
    await register(TOKENS);
    const narrow = { ...caller, issuers: new Set([FOREIGN]) };
    const command = { selector: toSelector({ sub: 'alice' }), issuedBeforeMs: undefined };
    await assert.rejects(first.revoke.allOf(command, narrow), { reason: 'ISSUER_NOT_ALLOWED' });
    assert.deepEqual(await findDead(second), []);
  });
});

type RevokeCaseBy = Omit<RevocationSelector, 'iss'>;

function toSelector({ jti, grant_id, sid, sub, client_id: clientId }: RevokeCaseBy, iss = ISSUER): Selector {
  if (sub !== undefined && clientId !== undefined) return { kind: 'subject_client', iss, sub, clientId };
  for (const [kind, value] of Object.entries({ jti, grant: grant_id, session: sid, subject: sub, client: clientId })) {
    if (value !== undefined) return { kind: kind as 'jti', iss, value };
  }
  return { kind: 'issuer', iss };
}

function toClaims({ isForeign, jti, grantId, sid, clientId, sub }: TokenOfRow): JudgedClaims {
  return {
    iss: isForeign ? FOREIGN : ISSUER,
    aud: [],
    iatSeconds: START_MS / 1000,
    expSeconds: (START_MS + HOUR_MS) / 1000,
    nbfSeconds: undefined,
    tokenUse: 'access_token',
    ...{ jti, grantId, sid, clientId, sub },
  };
}
