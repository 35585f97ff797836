// Promise 7: tokens go in by every rpc and every error path; not one comes out where somebody may read it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { IntrospectionError } from '@introspectd/client';
import { TAG_KINDS } from '../../src/core/key-ring.js';
import { AUDIENCE, ISSUER } from '../cases/introspect-cases.js';
import { CHECK, type CheckParts, encodeCheck } from '../envoy/support/check-message.js';
import { openImport, openIntrospectStream, toChunk } from '../support/chunk-stream.js';
import { CALLERS, startTestDaemon, type TestDaemon } from '../support/daemon.js';
import { createRawCaller } from '../support/raw-call.js';
import { toTokenEntry } from '../support/register-tokens.js';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));

describe('canary tokens', () => {
  it('are in no log, metric, error, output or file of the store', async () => {
    const callers = CALLERS.map((caller) => (caller.name === 'security' ? { ...caller, revoke: TAG_KINDS } : caller));
    callers.push({ name: 'job', permissions: ['stream'], issuers: [ISSUER], audiences: [AUDIENCE] });
    const daemon = await startTestDaemon({ callers, strangers: ['stranger'], config: { log: { level: 'debug' } } });
    after(() => daemon.stop());
    const canaries: string[] = [];
    const canary = (suffix = '') => {
      const token = `canary-${randomBytes(12).toString('hex')}${suffix}`;
      canaries.push(token);
      return token;
    };
    const told: string[] = [];
    const tell = async (calling: Promise<unknown>) => {
      told.push(await calling.then((answer) => JSON.stringify(answer), spellError));
    };

    const [known, revoked, expired] = [canary(), canary(), canary()];
    const past = BigInt(Math.floor(Date.now() / 1000) - 60);
    await daemon.register([
      { token: known },
      { token: revoked },
      { token: expired, claims: { iat: past, exp: past + 1n } },
    ]);
    await tell(daemon.client('security').revoke(revoked, { reason: 'leaked' }));
    for (const name of ['orders', 'auditor', 'security', 'stranger']) {
      const client = daemon.client(name);
      for (const token of [known, revoked, expired, canary(), canary(' '), canary('\n'), canary('x'.repeat(5000))]) {
        await tell(client.introspect(token));
        await tell(client.introspectMany([token, known]));
      }
      await tell(client.revoke(canary()));
      await tell(client.revoke(canary('\u0000')));
      // Pasted where something else belongs.
      for (const selector of [{ jti: canary() }, { sub: canary(), client_id: canary() }]) {
        await tell(client.revoke({ iss: ISSUER, ...selector }));
        await tell(client.revoke({ iss: canary(), ...selector }));
      }
      await tell(client.introspect(canary(), { timeoutMs: 1 }));
      await tell(client.introspectMany(Array.from({ length: 1000 }, () => known).concat(canary(), canary('ä'))));
      for (const claims of [{ exp: 1n << 62n }, { iss: 'https://not-yours.example' }, { sub: '' }, { cnf: {} }]) {
        await tell(daemon.tryRegister(name, [{ token: canary(), claims }]));
      }
    }
    await tell(daemon.tryRegister('login', [{ token: known, claims: { sub: 'other' } }, { token: revoked }]));
    for (const name of ['job', 'login', 'stranger']) {
      const address = { target: daemon.process.target, tls: daemon.workspace.tls(name) };
      const stream = openIntrospectStream(address);
      for (const tokens of [[known, revoked, canary(), canary(' '), canary('ä')], [], Array(1001).fill(canary())]) {
        stream.send(toChunk(1, tokens));
      }
      stream.halfClose();
      const imports = openImport(address);
      const entries = [canary(), canary(' '), known, revoked].map((token) => toTokenEntry({ token }));
      imports.send({ kind: { $case: 'start', value: { dryRun: name === 'login' } } });
      imports.send({ kind: { $case: 'chunk', value: { chunkId: 1, entries } } });
      imports.send({ kind: undefined });
      for (const { ended, messages } of [stream, imports])
        told.push(JSON.stringify([await ended, messages], spellBytes));
    }
    for (const how of [[], ['--output', 'table']]) {
      for (const token of [known, canary(), canary(' ')]) told.push(runCli(daemon, 'introspect', token, how));
    }
    told.push(runCli(daemon, 'revoke', canary(), []));

    for (const token of [known, revoked, expired, canary(), canary(' '), canary('x'.repeat(5000))]) {
      const headers = { authorization: `Bearer ${token}`, cookie: canary() };
      for (const name of ['envoy', 'orders']) {
        told.push(await askAsProxy(daemon, name, { headers }));
        told.push(await askAsProxy(daemon, name, { headers, path: `/?access_token=${canary()}` }));
        told.push(await askAsProxy(daemon, name, { headers, extensions: { [canary()]: canary() } }));
      }
    }

    const metrics = await (await fetch(`http://${daemon.process.opsTarget}/metrics`)).text();
    assert.match(metrics, /^rpc_server_call_duration_count/m);
    await daemon.process.stop('SIGTERM');
    const places = { metrics, told: told.join('\n'), log: daemon.log(), ...readFolder(daemon.workspace.storeFolder) };
    assert.ok(places.log.includes('"msg":"call"') && places.log.includes('"msg":"audit"'), 'the log says something');
    for (const [place, text] of Object.entries(places)) {
      for (const token of canaries) {
        // A part of it would be a leak too.
        assert.ok(!text.includes(token.slice(0, 24)), `a token in ${place}`);
        assert.ok(!text.includes(Buffer.from(token.trim()).toString('base64').slice(2, 30)), `base64 in ${place}`);
      }
    }
  });
});

function spellBytes(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

async function askAsProxy(daemon: TestDaemon, name: string, parts: CheckParts): Promise<string> {
  const proxy = createRawCaller(daemon.process.target, daemon.workspace.tls(name));
  const { bytes, error } = await proxy.call(CHECK, encodeCheck(parts));
  proxy.close();
  return `${bytes?.toString('latin1')} ${error?.message}`;
}

function spellError(error: unknown): string {
  assert.ok(error instanceof Error);
  const details = error instanceof IntrospectionError ? { ...error, violations: error.violations } : error;
  return `${error.stack} ${error.message} ${JSON.stringify(details)} ${String(error.cause)}`;
}

function runCli(daemon: TestDaemon, command: string, token: string, args: readonly string[]): string {
  const caller = command === 'revoke' ? 'security' : 'orders';
  const { caFile, certFile, keyFile } = daemon.workspace.tls(caller);
  const connection = ['--target', daemon.process.target, '--ca-file', caFile, '--cert-file', certFile];
  const argv = [MAIN, command, ...connection, '--key-file', keyFile, ...args];
  const { stdout, stderr } = spawnSync(process.execPath, argv, { input: `${token}\n`, encoding: 'utf8' });
  assert.ok(stdout.length + stderr.length > 0);
  return stdout + stderr;
}

function readFolder(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  assert.ok(files.length > 0);
  return Object.fromEntries(
    files.map((file) => [file.name, readFileSync(join(file.parentPath ?? folder, file.name), 'latin1')]),
  );
}
