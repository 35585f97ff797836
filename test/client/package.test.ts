// The package as its users get it: packed, installed in a folder of its own, imported, type-checked with its README.
import assert from 'node:assert/strict';
import { type ExecFileException, execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';

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
console.log(revision);
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
console.log(JSON.stringify([Object.keys(root).sort(), typeof IntrospectRequest.encode]));
process.exitCode = await import('@introspectd/client/dist/claims.js').then(() => 1, () => 0);
`;

const REQUIRES = `
const root = require('@introspectd/client');
const { IntrospectRequest } = require('@introspectd/client/gen/introspectd/v1/introspection_service');
console.log(JSON.stringify([Object.keys(root).filter((name) => name !== '__esModule').sort(), typeof IntrospectRequest.encode]));
`;

describe('the package', () => {
  let folder: string;
  let withoutRegistry = false;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'introspectd-package-'));
    await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true }));
    await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: PACKAGE });
    const [archive = ''] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
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
    assert.deepEqual(names.sort(), ['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'package.json', 'src']);
    const files = await readdir(installed(), { recursive: true });
    assert.ok(files.includes('dist/index.d.ts'));
    assert.deepEqual(
      files.filter((file) => /tsbuildinfo|test|node_modules/.test(file)),
      [],
    );
    assert.equal(await readFile(installed('LICENSE'), 'utf8'), await readFile(join(MODULES, '..', 'LICENSE'), 'utf8'));
  });

  for (const [name, file, source] of [
    ['import', 'use.mjs', IMPORTS],
    ['require', 'use.cjs', REQUIRES],
  ] as const) {
    check(`can be loaded with ${name}`, async () => {
      await writeFile(join(folder, file), source);
      const { stdout } = await run(process.execPath, [file], { cwd: folder });
      const names = ['IntrospectionError', 'createIntrospectionClient', 'toIntrospectionError'];
      assert.deepEqual(JSON.parse(stdout), [names, 'function']);
    });
  }

  check('type-checks in strict mode, and so does the code of its README', async () => {
    await mkdir(join(folder, 'node_modules', '@types'), { recursive: true });
    const nodeTypes = join(folder, 'node_modules', '@types', 'node');
    await rm(nodeTypes, { recursive: true, force: true });
    await symlink(join(MODULES, '@types', 'node'), nodeTypes);
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG));
    await writeFile(join(folder, 'use.mts'), USE);
    await writeFile(join(folder, 'use.cts'), USE_FROM_COMMONJS);
    const readme = await readFile(installed('README.md'), 'utf8');
    const examples = [...readme.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code ?? '');
    assert.ok(examples.length >= 4);
    await Promise.all(examples.map((code, index) => writeFile(join(folder, `example-${index}.mts`), code)));
    const compiler = join(MODULES, 'typescript', 'bin', 'tsc');
    await run(process.execPath, [compiler, '-p', folder]).catch((error: ExecFileException) => {
      assert.fail(`${error.stdout}${error.stderr}`);
    });
  });
});
