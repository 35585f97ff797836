// Promise 5 with real daemons: how old an answer from memory can be, and what ends it.
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createIntrospectionClient, type IntrospectionClient, type IntrospectionError } from '@introspectd/client';
import { parse, stringify } from 'yaml';
import { AUDIENCE, ISSUER } from '../cases/introspect-cases.js';
import { startTestDaemon, type TestDaemon } from '../support/daemon.js';
import { eventually } from '../support/eventually.js';

const LEASE_MS = 1000;
/** For a call from memory that was begun in time to end. */
const GRACE_MS = 50;
const CHILD = fileURLToPath(new URL('../client/children/cached-reader.js', import.meta.url));

const CALLERS = [
  { name: 'login', permissions: ['register'], issuers: [ISSUER], audiences: ['*'] },
  { name: 'orders', permissions: ['introspect', 'batch', 'watch'], issuers: [ISSUER], audiences: [AUDIENCE] },
  { name: 'other', permissions: ['introspect', 'watch'], issuers: [ISSUER], audiences: [AUDIENCE] },
  {
    name: 'security',
    permissions: [],
    revoke: ['token', 'subject', 'jti', 'client'],
    issuers: [ISSUER],
    audiences: ['*'],
  },
];

describe('answers from memory', () => {
  let daemon: TestDaemon;
  let orders: IntrospectionClient;
  let security: IntrospectionClient;
  let made = 0;

  before(async () => {
    daemon = await startTestDaemon({
      callers: CALLERS,
      config: { store_defaults: { lease: `${LEASE_MS}ms`, max_token_ttl: '1d', partitions: 1 } },
    });
    orders = daemon.client('orders');
    security = daemon.client('security');
    await register({});
    await orders.introspect('any');
    await eventually(() => orders.stats().cache === 'leased');
  });
  after(() => daemon.stop());

  async function register(claims: object, count = 1): Promise<string[]> {
    const tokens = Array.from({ length: count }, () => `near-cache-token-${made++}`);
    await daemon.register(tokens.map((token) => ({ token, claims })));
    return tokens;
  }

  /** Until its answer came from memory. On a busy machine a lease may be over before. */
  async function keep(...tokens: readonly string[]): Promise<void> {
    for (const token of tokens) {
      const endMs = performance.now() + 30_000;
      for (let hits = orders.stats().hits; hits === orders.stats().hits; ) {
        assert.equal((await orders.introspect(token)).active, true);
        assert.ok(performance.now() < endMs, 'it is never kept');
        await sleep(1);
      }
    }
  }

  /** How long after the revocation the first call was made that was told of it: no active one was made later than a lease. */
  async function untilInactive(client: IntrospectionClient, token: string, revokedMs: number): Promise<number> {
    for (;;) {
      const calledMs = performance.now();
      if (!(await client.introspect(token)).active) return calledMs - revokedMs;
      assert.ok(calledMs - revokedMs < LEASE_MS + GRACE_MS, 'active later than a lease after the revocation');
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  it('end within a few milliseconds of a revocation, and never later than a lease', async (t) => {
    const staleMs: number[] = [];
    for (const [token = ''] of await Promise.all(Array.from({ length: 60 }, () => register({})))) {
      await keep(token);
      await security.revoke(token);
      const revokedMs = performance.now();
      staleMs.push(await untilInactive(orders, token, revokedMs));
      assert.equal((await orders.introspect(token)).active, false, 'no flip-flop');
    }
    staleMs.sort((a, b) => a - b);
    const at = (share: number) => staleMs[Math.floor(share * (staleMs.length - 1))]?.toFixed(2);
    t.diagnostic(`stale after the acknowledgement: median ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`);
  });

  it('end with a revocation of anything that the token belongs to, and others stay', async () => {
    const [alice = ''] = await register({ sub: 'alice-of-cache', jti: 'jti-1' });
    const [bob = ''] = await register({ sub: 'bob-of-cache', jti: 'jti-2' });
    const [carol = ''] = await register({ sub: 'carol-of-cache', jti: 'jti-3' });
    await keep(alice, bob, carol);
    await security.revoke({ iss: ISSUER, sub: 'alice-of-cache' });
    await security.revoke({ iss: ISSUER, jti: 'jti-2' });
    const revokedMs = performance.now();
    for (const token of [alice, bob]) await untilInactive(orders, token, revokedMs);
    const { hits, cache } = orders.stats();
    assert.equal((await orders.introspect(carol)).active, true);
    // On a busy machine the lease may be over.
    if (cache === 'leased') assert.equal(orders.stats().hits, hits + 1);
  });

  it('are over once a revocation that waits for caches has returned', async () => {
    const tokens = await register({}, 10);
    await keep(...tokens);
    await Promise.all(
      tokens.map(async (token) => {
        await security.revoke(token, { waitForCaches: true });
        assert.equal((await orders.introspect(token)).active, false);
      }),
    );
  });

  it('are the caller’s own: another caller is reached by its own tags', async () => {
    const [token = ''] = await register({});
    const other = daemon.client('other');
    await other.introspect('any');
    await eventually(() => other.stats().cache === 'leased');
    await other.introspect(token);
    await keep(token);
    await security.revoke(token);
    const revokedMs = performance.now();
    for (const client of [orders, other]) await untilInactive(client, token, revokedMs);
  });

  it('do not outlive a stop of the process: nothing from memory before a new lease', async (t) => {
    const [token = ''] = await register({ sub: 'sleeper' });
    const { target } = daemon.process;
    const child: ChildProcess = fork(CHILD, [], {
      env: { ...process.env, READER: JSON.stringify({ target, tls: daemon.workspace.tls('orders'), token }) },
    });
    t.after(() => child.kill('SIGKILL'));
    const answers: { active: boolean; isHit: boolean }[] = [];
    child.on('message', (message) => answers.push(message as (typeof answers)[0]));
    await eventually(() => answers.some(({ isHit }) => isHit));
    child.kill('SIGSTOP');
    await sleep(50);
    const { length } = answers;
    await security.revoke({ iss: ISSUER, sub: 'sleeper' });
    await sleep(LEASE_MS + GRACE_MS);
    child.kill('SIGCONT');
    await eventually(() => answers.length > length + 5);
    // One call may have been on its way when it was stopped.
    assert.deepEqual(
      answers.slice(length + 1).filter(({ active }) => active),
      [],
    );
    child.kill('SIGTERM');
    await once(child, 'exit');
  });

  it('end when the policy takes away what they were for', async () => {
    const [token = ''] = await register({});
    const { policyFile } = daemon.workspace;
    const policy = parse(readFileSync(policyFile, 'utf8'));
    const replace = (change: (caller: Record<string, unknown>) => Record<string, unknown> | undefined) => {
      const callers = policy.callers.flatMap((caller: { name: string }) =>
        caller.name === 'orders' ? (change(caller) ?? []) : [caller],
      );
      writeFileSync(`${policyFile}.new`, stringify({ ...policy, callers }));
      renameSync(`${policyFile}.new`, policyFile);
    };
    await keep(token);
    replace((caller) => ({ ...caller, audiences: ['https://elsewhere.example'] }));
    await eventually(() => daemon.log().includes('"msg":"reloaded"'));
    // The watch learns of it within a second, or with its next lease.
    await eventually(() => orders.stats().entries === 0);
    assert.equal((await orders.introspect(token)).active, false);

    replace((caller) => caller);
    await untilActive(token);
    await keep(token);
    replace(() => undefined);
    const endMs = performance.now() + 5_000;
    for (let refused = 0; refused < 10; ) {
      const outcome = await orders.introspect(token).catch((error: IntrospectionError) => error.code);
      if (outcome === 'PERMISSION_DENIED') refused += 1;
      else assert.ok(refused === 0 && performance.now() < endMs, 'refused once, and then not');
    }
    assert.equal(orders.stats().entries, 0);
  });

  async function untilActive(token: string): Promise<void> {
    const endMs = performance.now() + 5_000;
    while (!(await orders.introspect(token, { fresh: true })).active) assert.ok(performance.now() < endMs);
  }

  it('are most of the answers of a service that is asked about the same tokens', async () => {
    const client = createIntrospectionClient({ target: daemon.process.target, tls: daemon.workspace.tls('other') });
    const tokens = await register({}, 20);
    await client.introspect('any');
    await eventually(() => client.stats().cache === 'leased');
    for (let call = 0; call < 2_000; call++) {
      assert.equal((await client.introspect(tokens[call % tokens.length] ?? '')).active, true);
      if (call % 100 === 0) await sleep(20);
    }
    const { hits, misses } = client.stats();
    assert.ok(hits >= 1_000 && hits / (hits + misses) >= 0.95, `${hits} hits, ${misses} misses`);
    await client.close();
  });
});
