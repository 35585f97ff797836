// The package as its users get it: packed, installed in a folder of its own, imported, type-checked with its README.
import assert from 'node:assert/strict';
import { type ExecFileException, execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { loadSync } from '@grpc/proto-loader';

const run = promisify(execFile);
const require = createRequire(import.meta.url);
const PACKAGE = await realpath(dirname(require.resolve('@introspectd/client/package.json')));
const { CI } = process.env;
const MODULES = join(dirname(PACKAGE), 'node_modules');
const NO_REGISTRY = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENOTCACHED|EHOSTUNREACH|ENETUNREACH/;

const TSCONFIG = {
  compilerOptions: {
    target: 'es2022',
    module: 'nodenext',
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    noEmit: true,
  },
  include: ['*.mts', '*.cts'],
};

const USE = `
import { createServer } from 'node:http';
import { Server } from '@grpc/grpc-js';
import { createGrpcGuard } from '@introspectd/client/grpc-guard';
import { createHttpGuard, type GuardedRequest } from '@introspectd/client/http-guard';
import { createIntrospectionClient, type IntrospectionClientOptions, IntrospectionError } from '@introspectd/client';
import type { IntrospectionServiceClient } from '@introspectd/client/gen/introspectd/v1/introspection_service';

const tls = { ca: 'pem', cert: Buffer.from('pem'), key: new Uint8Array(), serverName: 'localhost' };
// @ts-expect-error: tls is required
const plaintext: IntrospectionClientOptions = { target: 'localhost:50051' };
// @ts-expect-error: tls is all of it
const half: IntrospectionClientOptions = { target: 'localhost:50051', tls: { ca: 'pem' } };

await using client = createIntrospectionClient({ target: 'localhost:50051', tls });
const raw: IntrospectionServiceClient = client.raw;
const result = await client.introspect('t', { signal: AbortSignal.timeout(50), timeoutMs: 50, audiences: ['a'] });
// @ts-expect-error: nothing is known before active was looked at
result.sub;
if (result.active) {
  const claims: [string, number, string | undefined, readonly string[] | undefined] = [result.iss, result.exp, result.sub, result.aud];
  const thumbprint: string | undefined = result.cnf?.['x5t#S256'];
  const other: unknown = result['tenant'];
  // @ts-expect-error: read-only
  result.sub = 'admin';
  console.log(raw, claims, thumbprint, other);
} else {
  const reason: 'REVOKED' | 'EXPIRED' | 'NOT_FOUND' | 'NOT_YET_VALID' | 'AUDIENCE_MISMATCH' | 'TOKEN_USE_MISMATCH' | undefined =
    result.inactive_reason;
  console.log(plaintext, half, reason);
}
for (const one of await client.introspectMany(['t'])) {
  // @ts-expect-error: an error is no answer
  one.active;
  const flag: boolean = one instanceof IntrospectionError ? one.retryable : one.active;
  console.log(flag);
}
const { revision }: { revision: string } = await client.revoke('t', { reason: 'leaked' });
await client.introspect('t', { fresh: true });
for await (const notice of client.watchRevocations({ afterRevision: revision })) {
  // @ts-expect-error: only what was revoked has a tag
  notice.tag;
  if (notice.kind === 'revoked') console.log(notice.tag, notice.before_ms);
}
createIntrospectionClient({
  target: 'localhost:50051',
  tls: { caFile: 'ca', certFile: 'cert', keyFile: 'key', reloadMs: 500 },
  cache: { maxAgeMs: 1_000, maxEntries: 10, maxBytes: 1_000, maxInactiveEntries: 0 },
  coalesce: false,
  retry: { maxAttempts: 2 },
  logger: console,
});
// @ts-expect-error: true is no option of a cache
createIntrospectionClient({ target: 'localhost:50051', tls, cache: true });
const state: 'off' | 'waiting' | 'leased' = client.stats().cache;
const guard = createHttpGuard(client, { audiences: ['https://orders.example'], scopes: ['read'], realm: 'shop' });
// @ts-expect-error: a guard knows whom it guards
createHttpGuard(client, { audiences: [] });
createServer((req, res) => guard(req, res, () => res.end((req as GuardedRequest).introspection.sub)));
new Server({ interceptors: [createGrpcGuard(client, { audiences: ['https://orders.example'] })] });
console.log(state);
`;

const USE_FROM_COMMONJS = `
import client = require('@introspectd/client');
const { code }: client.IntrospectionError = new client.IntrospectionError('UNAVAILABLE', 'no');
// @ts-expect-error: a closed list of codes
const other: typeof code = 'OK';
console.log(other);
`;

const IMPORTS = `
import * as root from '@introspectd/client';
import { IntrospectRequest } from '@introspectd/client/gen/introspectd/v1/introspection_service';
import { createHttpGuard } from '@introspectd/client/http-guard';
import { createGrpcGuard, introspectionOf } from '@introspectd/client/grpc-guard';
const functions = [IntrospectRequest.encode, createHttpGuard, createGrpcGuard, introspectionOf];
console.log(JSON.stringify([Object.keys(root).sort(), functions.map((it) => typeof it)]));
process.exitCode = await import('@introspectd/client/dist/claims.js').then(() => 1, () => 0);
`;

const REQUIRES = `
const root = require('@introspectd/client');
const { IntrospectRequest } = require('@introspectd/client/gen/introspectd/v1/introspection_service');
const { createHttpGuard } = require('@introspectd/client/http-guard');
const { createGrpcGuard, introspectionOf } = require('@introspectd/client/grpc-guard');
const functions = [IntrospectRequest.encode, createHttpGuard, createGrpcGuard, introspectionOf];
console.log(JSON.stringify([Object.keys(root).filter((name) => name !== '__esModule').sort(), functions.map((it) => typeof it)]));
`;

describe('the package', () => {
  let folder: string;
  let archive: string;
  let withoutRegistry = false;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'introspectd-package-'));
    await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true }));
    await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: PACKAGE });
    [archive = ''] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
    const quickly = [
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      '--fetch-retries=1',
      '--fetch-retry-mintimeout=1000',
    ];
    const install = ['install', '--ignore-scripts', ...quickly, `./${archive}`];
    await run('npm', install, { cwd: folder, timeout: 120_000 }).catch((error: ExecFileException) => {
      const isOffline = error.killed === true || NO_REGISTRY.test(error.stderr ?? '');
      if (CI === 'true' || !isOffline) throw error;
      withoutRegistry = true;
    });
  });
  after(() => rm(folder, { recursive: true }));

  const installed = (...path: string[]) => join(folder, 'node_modules', '@introspectd', 'client', ...path);

  function check(name: string, body: () => Promise<void>): void {
    it(name, async (t) => {
      if (withoutRegistry) t.skip('NOT TESTED: the package registry cannot be reached');
      else await body();
    });
  }

  check('holds what it should and nothing else', async () => {
    const names = await readdir(installed());
    assert.deepEqual(names.sort(), ['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'package.json', 'proto', 'src']);
    const files = await readdir(installed(), { recursive: true });
    assert.ok(files.includes('dist/index.d.ts'));
    assert.deepEqual(
      files.filter((file) => /tsbuildinfo|test|node_modules/.test(file)),
      [],
    );
    assert.equal(await readFile(installed('LICENSE'), 'utf8'), await readFile(join(MODULES, '..', 'LICENSE'), 'utf8'));
  });

  check('holds the protos, with all that they import', async () => {
    const definition = loadSync('introspectd/v1/introspection_service.proto', { includeDirs: [installed('proto')] });
    assert.ok('introspectd.v1.IntrospectionService' in definition);
  });

  check('is what publint and attw want of a package', async () => {
    const bin = (name: string) => join(MODULES, '.bin', name);
    for (const [tool, ...args] of [
      ['publint', '--strict', join(folder, archive)],
      // Nobody without ESM: `require` of it needs Node 20.19, as the package does.
      ['attw', join(folder, archive), '--profile', 'esm-only', '--no-color', '--exclude-entrypoints', 'proto/*'],
    ] as const) {
      await run(bin(tool), args, { cwd: folder }).catch((error: ExecFileException) => {
        assert.fail(`${tool}: ${error.stdout}${error.stderr}`);
      });
    }
  });

  for (const [name, file, source] of [
    ['import', 'use.mjs', IMPORTS],
    ['require', 'use.cjs', REQUIRES],
  ] as const) {
    check(`can be loaded with ${name}`, async () => {
      await writeFile(join(folder, file), source);
      const { stdout } = await run(process.execPath, [file], { cwd: folder });
      const names = ['IntrospectionError', 'createIntrospectionClient', 'toIntrospectionError'];
      assert.deepEqual(JSON.parse(stdout), [names, Array(4).fill('function')]);
    });
  }

  check('type-checks in strict mode, and so does the code of its README and of the migration pages', async () => {
    await mkdir(join(folder, 'node_modules', '@types'), { recursive: true });
    const nodeTypes = join(folder, 'node_modules', '@types', 'node');
    await rm(nodeTypes, { recursive: true, force: true });
    await symlink(join(MODULES, '@types', 'node'), nodeTypes);
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG));
    await writeFile(join(folder, 'use.mts'), USE);
    await writeFile(join(folder, 'use.cts'), USE_FROM_COMMONJS);
    const migration = join(MODULES, '..', 'docs', 'migration');
    const pages = [installed('README.md'), ...(await readdir(migration)).map((name) => join(migration, name))];
    const texts = await Promise.all(pages.map((page) => readFile(page, 'utf8')));
    const examples = texts.flatMap((text) => [...text.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code ?? ''));
    assert.ok(examples.length >= 9);
    await Promise.all(examples.map((code, index) => writeFile(join(folder, `example-${index}.mts`), code)));
    const compiler = join(MODULES, 'typescript', 'bin', 'tsc');
    await run(process.execPath, [compiler, '-p', folder]).catch((error: ExecFileException) => {
      assert.fail(`${error.stdout}${error.stderr}`);
    });
  });
});
