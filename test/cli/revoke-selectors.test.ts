// introspectd revoke by something, against a running daemon: what it asks, what it ends with, what it does not do.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { TAG_KINDS } from '../../src/core/key-ring.js';
import { AUDIENCE, ISSUER } from '../cases/introspect-cases.js';
import { startTestDaemon, type TestDaemon } from '../support/daemon.js';
import { runCli } from './support/run-cli.js';
import { findNoTerminal, runOnTerminal } from './support/run-on-terminal.js';

const LEASE_MS = 300;
const CALLERS = [
  { name: 'login', permissions: ['register'], issuers: [ISSUER], audiences: ['*'] },
  { name: 'orders', permissions: ['introspect', 'batch'], issuers: [ISSUER], audiences: [AUDIENCE] },
  { name: 'security', permissions: [], revoke: TAG_KINDS, issuers: [ISSUER], audiences: ['*'] },
];

describe('introspectd revoke by something', () => {
  let daemon: TestDaemon;
  before(async () => {
    daemon = await startTestDaemon({ callers: CALLERS, config: { store_defaults: { lease: `${LEASE_MS}ms` } } });
  });
  after(() => daemon.stop());

  const withConnection = (args: readonly string[]) => {
    const as = join(daemon.workspace.folder, 'security');
    return ['revoke', '--as', as, '--target', daemon.process.target, ...args];
  };
  const run = (...args: readonly string[]) => runCli(withConnection(args));
  const isActive = async (token: string) => (await daemon.client('orders').introspect(token)).active;
  const lastAudit = () =>
    daemon
      .log()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .findLast(({ action }) => action === 'revoke');

  const SELECTED: readonly (readonly [args: readonly string[], kind: string])[] = [
    [['--sid', 's1'], 'session'],
    [['--sub', 'u1', '--client-id', 'c1', '--issued-before', '1m', '--yes'], 'subject_client'],
  ];
  for (const [args, kind] of SELECTED) {
    it(`${args.join(' ')}: kind ${kind}`, async () => {
      const { code, stdout, stderr } = await run('--iss', ISSUER, ...args, '--reason', 'a test');
      assert.deepEqual([code, stderr], [0, '']);
      const { revoked, revision } = JSON.parse(stdout);
      const audit = lastAudit();
      assert.deepEqual([revoked, audit.revision, audit.kind, audit.iss], [true, revision, kind, ISSUER]);
      assert.equal(audit.reason, 'a test');
      assert.match(audit.value ?? '00000000', /^[0-9a-f]{8}$/);
    });
  }

  it('kills all tokens of a user and no others, and waits for caches', async () => {
    await daemon.register([
      { token: 'of-carol', claims: { sub: 'carol' } },
      { token: 'of-dave', claims: { sub: 'dave' } },
    ]);
    const startedMs = performance.now();
    const { code } = await run('--iss', ISSUER, '--sub', 'carol', '--yes', '--wait-for-caches');
    assert.equal(code, 0);
    assert.ok(performance.now() - startedMs >= LEASE_MS);
    assert.equal(lastAudit().waits_for_caches, true);
    assert.deepEqual([await isActive('of-carol'), await isActive('of-dave')], [false, true]);
  });

  const WRONG: readonly (readonly [args: readonly string[], said: RegExp])[] = [
    [['--sub', 'alice'], /--sub: of which issuer\? Add --iss/],
    [['--iss', ISSUER, '--sub', 'a', '--yes', '--issued-before', '2999-01-01T00:00:00Z'], /is in the future/],
    [
      ['--iss', ISSUER, '--all-tokens'],
      /revokes all tokens of https:.*\n.*no terminal.*nothing was revoked.*add --yes/,
    ],
  ];
  for (const [args, said] of WRONG) {
    it(`${args.join(' ')}: exit code 2, and nothing is asked of the daemon`, async () => {
      const sizeBefore = daemon.log().length;
      const { code, stdout, stderr } = await run(...args);
      assert.deepEqual([code, stdout], [2, ''], stderr);
      assert.match(stderr, said);
      assert.equal(daemon.log().length, sizeBefore);
    });
  }

  describe('on a terminal', { skip: findNoTerminal() }, () => {
    const onTerminal = (args: readonly string[], typed: string) => runOnTerminal(withConnection(args), typed);

    it('says what will die and goes on when its name is typed', async () => {
      await daemon.register([{ token: 'of-erin', claims: { sub: 'erin' } }]);
      const { code, stdout } = await onTerminal(['--iss', ISSUER, '--sub', 'erin'], 'erin\n');
      assert.equal(code, 0, stdout);
      assert.match(stdout, /This revokes all tokens of the user "erin" .* cannot be taken back/);
      assert.equal(await isActive('of-erin'), false);
    });

    for (const [name, typed] of [
      ['another name', 'alice\n'],
      ['Ctrl-C', '\u0003'],
    ] as const) {
      it(`${name}: exit code 2, and nothing was revoked`, async () => {
        const sizeBefore = daemon.log().length;
        const { code, stdout } = await onTerminal(['--iss', ISSUER, '--all-tokens'], typed);
        assert.equal(code, 2, stdout);
        assert.match(stdout, /nothing was revoked/);
        assert.equal(daemon.log().length, sizeBefore);
      });
    }
  });
});
