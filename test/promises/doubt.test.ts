// Promise 4: doubt is an error. Whatever happens to the store, nobody is told "inactive" or "active" because of it.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { StoreUnavailable } from '../../src/core/errors.js';
import type { TokenStore } from '../../src/core/token-store.js';
import { type InProcessDaemon, startInProcessDaemon } from '../support/in-process-daemon.js';

const GOOD = 'a-good-token-of-the-doubt-test';
const SECRET = 'text of a driver that must not be seen';
// limits.store_timeout, and what a busy machine adds to it.
const HUNG_BUDGET_MS = 4 * 200;

type Fault = (store: TokenStore) => Partial<TokenStore>;

const unavailable = () => Promise.reject(new StoreUnavailable('gone'));
const unexpected = () => Promise.reject(new TypeError(SECRET));
const never = () => new Promise<never>(() => undefined);

/** What the store does, and what each rpc must end in. */
const FAULTS: readonly { name: string; fault: Fault; read: string; write: string }[] = [
  {
    name: 'every call fails',
    fault: () => ({ read: unavailable, register: unavailable, revokeToken: unavailable }),
    read: 'UNAVAILABLE',
    write: 'UNAVAILABLE',
  },
  { name: 'reads hang', fault: () => ({ read: never }), read: 'UNAVAILABLE', write: 'OK' },
  {
    name: 'the engine throws what nobody foresaw',
    fault: () => ({ read: unexpected, register: unexpected, revokeToken: unexpected }),
    read: 'INTERNAL',
    write: 'INTERNAL',
  },
  {
    name: 'entries are of an unknown form',
    fault: (store) => ({
      read: async (digests, cursor) => {
        const reply = await store.read(digests, cursor);
        return { ...reply, entries: digests.map(() => Buffer.from(SECRET)) };
      },
    }),
    read: 'UNAVAILABLE',
    write: 'OK',
  },
  {
    name: 'the live revocations cannot be loaded after a reset',
    fault: (store) => ({
      read: async (digests) => store.read(digests, undefined),
      loadRevocations: async function* () {
        yield [];
        throw new StoreUnavailable('gone');
      },
    }),
    read: 'UNAVAILABLE',
    write: 'OK',
  },
  {
    name: 'the log resets for ever',
    fault: (store) => ({ read: async (digests) => ({ ...(await store.read(digests, undefined)), reset: true }) }),
    read: 'UNAVAILABLE',
    write: 'OK',
  },
];

describe('with a store in doubt', () => {
  let fault: Fault | undefined;
  let daemon: InProcessDaemon;
  before(async () => {
    daemon = await startInProcessDaemon((store) => {
      const call =
        <Name extends 'read' | 'register' | 'revokeToken' | 'loadRevocations'>(name: Name) =>
        (...args: Parameters<TokenStore[Name]>) => {
          const method = fault?.(store)[name] ?? store[name];
          return (method as (...given: unknown[]) => unknown)(...args) as ReturnType<TokenStore[Name]>;
        };
      const names = ['read', 'register', 'revokeToken', 'loadRevocations'] as const;
      return { ...store, ...Object.fromEntries(names.map((name) => [name, call(name)])) };
    });
    await daemon.register([{ token: GOOD }]);
  });
  after(() => daemon.stop());

  for (const { name, fault: make, read, write } of FAULTS) {
    it(`${name}: reads end in ${read}, writes in ${write}, and all is well after`, async () => {
      const [orders, security] = [daemon.client('orders'), daemon.client('security')];
      fault = make;
      const startedMs = performance.now();
      const outcomes = {
        introspect: await outcomeOf(orders.introspect(GOOD)),
        unknown: await outcomeOf(orders.introspect('never-registered')),
        batch: await outcomeOf(orders.introspectMany([GOOD, 'never-registered'])),
      };
      assert.deepEqual(outcomes, { introspect: read, unknown: read, batch: read });
      assert.ok(performance.now() - startedMs < 3 * HUNG_BUDGET_MS, 'in time');
      assert.equal(await outcomeOf(security.revoke(`revoked while ${name}`.replaceAll(' ', '-'))), write);
      assert.equal(await outcomeOf(daemon.register([{ token: `registered-while-${read}`.toLowerCase() }])), write);
      fault = undefined;
      assert.deepEqual(await orders.introspect('never-registered'), { active: false });
      assert.equal((await orders.introspect(GOOD)).active, true);
      assert.ok(!daemon.log().includes(SECRET), 'raw text of the fault in the log');
    });
  }

  it('is not ready, alive, and ready again', async () => {
    const ready = async () => (await fetch(`http://${daemon.opsTarget}/readyz`)).status;
    await waitFor(async () => (await ready()) === 200);
    fault = () => ({ read: unavailable });
    await waitFor(async () => (await ready()) === 503);
    assert.equal((await fetch(`http://${daemon.opsTarget}/healthz`)).status, 200);
    fault = undefined;
    await waitFor(async () => (await ready()) === 200);
  });
});

/** "OK", or the code of the error; text of the fault in it fails. */
async function outcomeOf(calling: Promise<unknown>): Promise<string> {
  try {
    await calling;
    return 'OK';
  } catch (error) {
    assert.ok(error instanceof Error);
    assert.ok(!`${error.message}${JSON.stringify(error)}`.includes(SECRET), 'raw text of the fault on the wire');
    const { code } = error as { readonly code?: unknown };
    return typeof code === 'number' ? (GRPC_CODES[code] ?? String(code)) : String(code);
  }
}

const GRPC_CODES: Readonly<Record<number, string>> = { 13: 'INTERNAL', 14: 'UNAVAILABLE' };

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, 'in time');
    await sleep(50);
  }
}
