// What a caller has used: by its name, over connections and policies; and what revoking unknown tokens costs.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { beforeEach, describe, it } from 'node:test';
import { createFence } from '../../src/core/fence.js';
import { formatNewKeys, parseKeyRing } from '../../src/core/key-ring.js';
import { type Caller, type CallerRule, createPolicy } from '../../src/core/policy.js';
import { createRates, limitIntrospect, limitRegister, type Rates } from '../../src/core/rates.js';
import { createRevocationTable } from '../../src/core/revocation-table.js';
import { createRevoke, type Revoke } from '../../src/core/revoke.js';
import { parseToken } from '../../src/core/token.js';
import type { RevokeTokenCommand } from '../../src/core/token-store.js';
import { createMemoryTokenStore } from '../../src/store/memory-token-store.js';
import { INACTIVE_TO_ALL, ISSUER, REGISTERS_ALL } from '../support/start-server.js';

const FEW = { perSecond: 1, burst: 3 };
const LIMITED = { reason: 'RATE_LIMITED', retryDelayMs: 1000 };
const token = (text: string) => parseToken(text, 100);

/** As a policy that was just loaded says it. */
function callerWith(rates: CallerRule['rates'], name = 'a'): Caller {
  const owns = { permissions: [], revoke: ['subject'] as const, issuers: [ISSUER], audiences: ['*'] };
  const rule = { ...owns, tokenUse: undefined, claims: undefined };
  return createPolicy([{ ...rule, name, identities: ['dns:a'], rates }]).getCaller(['dns:a']);
}

describe('rates', () => {
  let nowMs: number;
  let rates: Rates;
  beforeEach(() => {
    nowMs = 0;
    rates = createRates(() => nowMs);
  });
  const charge = (caller: Caller) => rates.tryCharge(caller, 'tokens', 1);

  it('belong to a name: the same policy again does not fill them, another rate or another caller is another bucket', () => {
    for (let count = 0; count < 3; count++) assert.equal(charge(callerWith({ tokens: FEW })), 0);
    assert.equal(charge(callerWith({ tokens: { ...FEW } })), 1000);
    assert.equal(charge(callerWith({ tokens: FEW }, 'b')), 0);
    assert.equal(charge(callerWith({ tokens: { perSecond: 1, burst: 1 } })), 0);
    nowMs = 1000;
    assert.equal(charge(callerWith({ tokens: { perSecond: 1, burst: 1 } })), 0);
  });

  it('are one per token and entry, good or bad, and nothing is asked beyond them', async () => {
    const caller = callerWith({ tokens: FEW });
    const command = { caller, audiences: [] };
    let asked = 0;
    const introspect = limitIntrospect(
      {
        one: async (...args) => {
          asked++;
          return INACTIVE_TO_ALL.one(...args);
        },
        many: async (...args) => {
          asked++;
          return INACTIVE_TO_ALL.many(...args);
        },
      },
      rates,
    );
    const register = limitRegister(REGISTERS_ALL, rates);
    await introspect.many(command, [token('a'), new Error() as never]);
    await introspect.one(command, token('a'));
    await assert.rejects(introspect.one(command, token('a')), LIMITED);
    await assert.rejects(introspect.many(command, [token('a')]), LIMITED);
    await assert.rejects(register.many(caller, [new Error() as never]), LIMITED);
    assert.equal(asked, 2);
    nowMs = 1000;
    await register.many(caller, [new Error() as never]);
    await assert.rejects(introspect.one(command, token('a')), LIMITED);
  });

  it('without a rate there is no limit; revocations always have one', () => {
    const caller = callerWith(undefined);
    assert.equal(rates.tryCharge(caller, 'tokens', 1e12), 0);
    assert.deepEqual(caller.rates.revoke, { perSecond: 2000, burst: 4000 });
    assert.deepEqual(caller.rates.unknownRevoke, { perSecond: 10, burst: 100 });
    for (let count = 0; count < 4000; count++) assert.equal(rates.tryCharge(caller, 'revoke', 1), 0);
    assert.equal(rates.tryCharge(caller, 'revoke', 1), 1);
  });
});

describe('the rate of unknown tokens', () => {
  const caller = callerWith({ unknownRevoke: FEW });
  let nowMs: number;
  let commands: RevokeTokenCommand[];
  let revoke: Revoke;
  beforeEach(() => {
    nowMs = 0;
    commands = [];
    const keyRing = parseKeyRing(formatNewKeys(randomBytes));
    const defaults = { maxTokenTtlMs: 1000, leaseMs: 1000, partitions: 1 };
    const store = createMemoryTokenStore({ clock: () => 1e12, keyChecks: keyRing.checks, defaults, logEntries: 100 });
    revoke = createRevoke({
      keyRing,
      store: {
        ...store,
        revokeToken: (command) => {
          commands.push(command);
          return store.revokeToken(command);
        },
      },
      fence: createFence({ store, table: createRevocationTable() }),
      maxUnknownTombstones: 1000,
      rates: createRates(() => nowMs),
    });
  });

  it('refuses an unknown token beyond it, in the step of the store, and revokes known ones all the same', async () => {
    for (const text of ['a', 'b', 'c']) await revoke.token(token(text), caller);
    await assert.rejects(revoke.token(token('d'), caller), LIMITED);
    // Known by now.
    for (const text of ['a', 'b', 'c', 'a', 'b', 'c']) await revoke.token(token(text), caller);
    await assert.rejects(revoke.token(token('d'), caller), LIMITED);
    nowMs = 1000;
    await revoke.token(token('d'), caller);
    assert.deepEqual(
      commands.map(({ maxUnknownTombstones }) => maxUnknownTombstones > 0),
      [true, true, true, false, false, false, false, false, false, false, false, true],
    );
  });

  it('known tokens use nothing of it', async () => {
    await revoke.token(token('a'), caller);
    for (let count = 0; count < 20; count++) await revoke.token(token('a'), caller);
    for (const text of ['b', 'c']) await revoke.token(token(text), caller);
    await assert.rejects(revoke.token(token('d'), caller), LIMITED);
  });

  it('holds for calls that are made at once', async () => {
    const outcomes = await Promise.allSettled('abcdefgh'.split('').map((text) => revoke.token(token(text), caller)));
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 3);
  });

  it('the rate of all revocations comes first, and nothing reaches the store beyond it', async () => {
    const slow = callerWith({ revoke: FEW });
    for (let count = 0; count < 3; count++) await revoke.token(token('a'), slow);
    await assert.rejects(revoke.token(token('a'), slow), LIMITED);
    assert.equal(commands.length, 3);
  });

  it('all tokens of something are one revocation, and never unknown', async () => {
    const slow = callerWith({ revoke: FEW, unknownRevoke: FEW });
    const selector = { kind: 'subject', iss: ISSUER, value: 'alice' } as const;
    for (let count = 0; count < 3; count++) await revoke.allOf({ selector, issuedBeforeMs: undefined }, slow);
    await assert.rejects(revoke.allOf({ selector, issuedBeforeMs: undefined }, slow), LIMITED);
    nowMs = 1000;
    await revoke.token(token('unknown'), slow);
  });
});
