// Promises 1, 2 and 6 for revocations by what tokens belong to: on both daemons of a store, and after kill -9.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  createIntrospectionClient,
  type IntrospectionClient,
  IntrospectionError,
  type RevocationSelector,
} from '@introspectd/client';
import type { DevCaller } from '../../src/cli/dev-workspace.js';
import { TAG_KINDS } from '../../src/core/key-ring.js';
import { AUDIENCE } from '../cases/introspect-cases.js';
import { REVOKE_CASES, TOKENS, type TokenOfRow } from '../cases/revoke-cases.js';
import type { TestDaemon } from '../support/daemon.js';
import type { TestToken } from '../support/register-tokens.js';
import { SHARED_STORES, type SharedStore } from '../support/two-daemons.js';

const FAILED_PRECONDITION = 9;
const HOUR_MS = 3_600_000;

const issuerOf = (row: string) => `https://${row}.example`;
const foreignOf = (row: string) => `https://${row}-other.example`;
const ROWS = REVOKE_CASES.map((row, index) => ({ ...row, id: `row${index}` }));
const OTHERS = ['later', 'instant', 'cascade', 'crash'];
const ISSUERS = [...ROWS.map(({ id }) => id), ...OTHERS].flatMap((id) => [issuerOf(id), foreignOf(id)]);
const CALLERS: readonly DevCaller[] = [
  { name: 'login', permissions: ['register'], issuers: ISSUERS, audiences: ['*'] },
  { name: 'orders', permissions: ['introspect', 'batch'], issuers: ISSUERS, audiences: [AUDIENCE] },
  { name: 'security', permissions: [], revoke: TAG_KINDS, issuers: ISSUERS, audiences: ['*'] },
];

for (const { engine, missing, start } of SHARED_STORES) {
  describe(`what is revoked by something, two daemons on ${engine}`, { skip: missing }, () => {
    let stage: SharedStore;
    let daemon: TestDaemon;
    let reader: IntrospectionClient;
    before(async () => {
      stage = await start(CALLERS);
      ({ daemon, reader } = stage);
    });
    after(() => stage.close());
    const revoke = (by: Omit<RevocationSelector, 'iss'>, id: string, issuedBefore?: Date) =>
      daemon.client('security').revoke({ ...by, iss: issuerOf(id) }, { issuedBefore });
    const registerLate = async (entry: TestToken) => {
      const { results } = await daemon.tryRegister('login', [entry]);
      return results[0]?.status?.code ?? 0;
    };

    it('each kind kills what belongs to it and nothing else, and is there after kill -9', async () => {
      await daemon.register(ROWS.flatMap(({ id }) => TOKENS.map((token) => toTestToken(id, token))));
      for (const { id, by, kills } of ROWS) {
        assert.deepEqual(await findDead(reader, id), [], `row ${id} began alive`);
        // The reader is in the middle of a read when the revocation comes.
        await Promise.all([revoke(by, id), findDead(reader, id)]);
        for (const client of [reader, daemon.client('orders')]) {
          assert.deepEqual(await findDead(client, id), [...kills].sort(), JSON.stringify(by));
        }
      }
      await daemon.restart('SIGKILL');
      for (const { id, by, kills } of ROWS) {
        assert.deepEqual(await findDead(daemon.client('orders'), id), [...kills].sort(), JSON.stringify(by));
      }
    });

    it('a login in the second after a revoke-all lives, and what was issued before it and comes late does not', async () => {
      const id = 'later';
      const beforeMs = Date.now();
      const login = (token: string) => toTestToken(id, { name: token, sub: 'alice', clientId: 'web' });
      await daemon.register([login('old')]);
      for (const by of [{ all_tokens: true }, { sub: 'alice' }, { client_id: 'web' }] as const) {
        await revoke(by, id);
        const name = `after-${Object.keys(by)[0]}`;
        await daemon.register([login(name), { ...login(`${name}-late`), issuedAtMs: beforeMs }]);
        assert.equal((await reader.introspect(`${id}-${name}`)).active, true, name);
        assert.deepEqual(await reader.introspect(`${id}-${name}-late`), { active: false });
      }
      assert.deepEqual(await reader.introspect(`${id}-old`), { active: false });
    });

    it('issued_before is exact to the millisecond, and in the future it is refused', async () => {
      const id = 'instant';
      const instantMs = Date.now() - HOUR_MS;
      const tokens = [-1000, -1, 0, 1, 1000].map((offsetMs) => ({
        ...toTestToken(id, { name: `at${offsetMs}`, sub: 'alice' }),
        issuedAtMs: instantMs + offsetMs,
      }));
      await daemon.register(tokens);
      await assert.rejects(
        revoke({ sub: 'alice' }, id, new Date(Date.now() + HOUR_MS)),
        (error) => error instanceof IntrospectionError && error.reason === 'ISSUED_BEFORE_IN_FUTURE',
      );
      await revoke({ sub: 'alice' }, id, new Date(instantMs));
      const answers = await reader.introspectMany(tokens.map(({ token }) => token));
      assert.deepEqual(
        answers.map((answer) => 'active' in answer && answer.active),
        [false, false, true, true, true],
      );
      // An earlier instant takes nothing back.
      await revoke({ sub: 'alice' }, id, new Date(instantMs - HOUR_MS));
      assert.deepEqual(await reader.introspect(`${id}-at-1`), { active: false });
    });

    it('a jti, a grant and a session that nobody knows are refused when they are registered late', async () => {
      const late = [
        [{ jti: 'late' }, { jti: 'late' }],
        [{ grant_id: 'late' }, { grantId: 'late' }],
        [{ sid: 'late' }, { sid: 'late' }],
      ] as const;
      for (const [by, claims] of late) {
        await revoke(by, 'cascade');
        const entry = toTestToken('cascade', { name: `late-${Object.keys(by)[0]}`, ...claims });
        assert.equal(await registerLate(entry), FAILED_PRECONDITION);
        assert.deepEqual(await reader.introspect(entry.token), { active: false });
      }
    });

    it('the cascade of a refresh token is whole when a crash came in between and the revocation was repeated', async () => {
      const id = 'crash';
      for (let round = 0; round < 3; round++) {
        const grant = { grantId: `grant-${round}` };
        const refresh = toTestToken(id, { name: `refresh-${round}`, ...grant });
        const access = toTestToken(id, { name: `access-${round}`, ...grant });
        await daemon.register([{ ...refresh, claims: { ...refresh.claims, tokenUse: 2 } }, access]);
        assert.equal((await reader.introspect(access.token)).active, true);
        const cut = createIntrospectionClient({
          target: daemon.process.target,
          tls: daemon.workspace.tls('security'),
          timeoutMs: 2000,
        });
        await cut.revoke(`${refresh.token}-other`);
        const outcome = cut.revoke(refresh.token).catch(() => undefined);
        // At another moment of the write each round.
        for (let turn = 0; turn < round * 50; turn++) await new Promise((resolve) => setImmediate(resolve));
        await daemon.restart('SIGKILL');
        await outcome;
        await cut.close();
        await daemon.client('security').revoke(refresh.token);
        assert.deepEqual(await reader.introspect(access.token), { active: false });
        assert.equal(await registerLate(toTestToken(id, { name: `late-${round}`, ...grant })), FAILED_PRECONDITION);
      }
    });

    it('a refresh token that was revoked before anybody knew it stays dead, and takes nothing along', async () => {
      const refresh = toTestToken('cascade', { name: 'unknown-refresh', grantId: 'kept' });
      const access = toTestToken('cascade', { name: 'kept', grantId: 'kept' });
      await daemon.register([access]);
      for (let repeat = 0; repeat < 2; repeat++) await daemon.client('security').revoke(refresh.token);
      assert.equal(await registerLate({ ...refresh, claims: { ...refresh.claims, tokenUse: 2 } }), FAILED_PRECONDITION);
      assert.equal((await reader.introspect(access.token)).active, true);
    });
  });
}

function toTestToken(id: string, { name, isForeign, ...belongs }: TokenOfRow): TestToken {
  const iss = isForeign ? foreignOf(id) : issuerOf(id);
  return { token: `${id}-${name}`, claims: { sub: undefined, clientId: undefined, ...belongs, iss } };
}

/** Names of the row's tokens that are inactive. */
async function findDead(client: IntrospectionClient, id: string): Promise<readonly string[]> {
  const answers = await client.introspectMany(TOKENS.map(({ name }) => `${id}-${name}`));
  return TOKENS.filter((_, index) => {
    const answer = answers[index];
    if (answer === undefined || answer instanceof IntrospectionError) throw new Error('no answer', { cause: answer });
    return !answer.active;
  })
    .map(({ name }) => name)
    .sort();
}
