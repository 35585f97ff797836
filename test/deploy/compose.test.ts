// The Dockerfile and the compose file against the command line and the configuration that they rely on.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { FaultsError } from '../../src/config/faults.js';
import { loadConfig } from '../../src/config/load-config.js';
import { NOT_YET_SUPPORTED } from '../../src/config/not-yet-supported.js';
import { parseKeyRing } from '../../src/core/key-ring.js';
import { runCli } from '../cli/support/run-cli.js';
import { temporaryFolder } from '../cli/support/temporary-folder.js';

interface Service {
  readonly image: string;
  readonly command: readonly string[];
  readonly configs?: readonly { readonly source: string; readonly target: string }[];
  readonly secrets?: readonly string[];
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly configs: Readonly<Record<string, { readonly file: string }>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

/** Of the compiled file. */
const inProject = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const FOLDER = inProject('deploy/compose');
const compose: Compose = parse(readFileSync(join(FOLDER, 'compose.yaml'), 'utf8'), { merge: true });
const findService = (name: string) => compose.services[name];
const dockerfile = readFileSync(inProject('Dockerfile'), 'utf8');
const configText = readFileSync(join(FOLDER, 'introspectd.yaml'), 'utf8');

function faultsOf(text: string): readonly { readonly path: string; readonly problem: string }[] {
  try {
    const file = { path: '/etc/introspectd/introspectd.yaml', text };
    loadConfig({ file, env: {}, flags: new Map(), workingFolder: '/app' });
    return [];
  } catch (error) {
    if (error instanceof FaultsError) return error.faults;
    throw error;
  }
}

test('every service is without capabilities, on a root that cannot be written', () => {
  for (const [name, service] of Object.entries(compose.services)) {
    assert.deepEqual([service.read_only, service.cap_drop], [true, ['ALL']], name);
  }
});

test('what is mounted is there, and what is used is declared', () => {
  for (const { file } of Object.values(compose.configs)) assert.ok(existsSync(join(FOLDER, file)), file);
  for (const { configs = [], secrets = [] } of Object.values(compose.services)) {
    for (const { source } of configs) assert.ok(source in compose.configs, source);
    for (const secret of secrets) assert.ok(secret in compose.secrets, secret);
  }
  for (const path of configText.match(/\/run\/secrets\/\w+/g) ?? []) {
    assert.ok(findService('introspectd')?.secrets?.includes(path.replace('/run/secrets/', '')), path);
  }
});

test('the configuration is one that the daemon takes', () => {
  assert.deepEqual(
    faultsOf(configText).filter(({ problem }) => problem !== NOT_YET_SUPPORTED),
    [],
  );
  const embedded = configText.replace(/store:[\s\S]*/, 'store: { kind: lmdb, path: /data/store }\n');
  assert.deepEqual(faultsOf(embedded), []);
});

test('the secrets are as the daemon wants them, and are made once', () => {
  const folder = temporaryFolder();
  cpSync(join(FOLDER, 'make-secrets.sh'), join(folder, 'make-secrets.sh'));
  const make = () => spawnSync('sh', [join(folder, 'make-secrets.sh')], { encoding: 'utf8' }).status;
  assert.equal(make(), 0);
  const keys = readFileSync(join(folder, 'secrets/introspectd.keys'), 'utf8');
  assert.doesNotThrow(() => parseKeyRing(keys));
  assert.notEqual(make(), 0);
  assert.equal(readFileSync(join(folder, 'secrets/introspectd.keys'), 'utf8'), keys);
});

/** The arguments after node and main.js of a line of the Dockerfile in exec form. */
function argsOf(instruction: RegExp): string[] {
  const [, json] = instruction.exec(dockerfile) ?? [];
  return JSON.parse(json ?? 'null').filter((arg: string) => !arg.startsWith('/usr/') && !arg.startsWith('/app/'));
}

test('commands of both files are commands of ours, and fail as such', async () => {
  const health = argsOf(/HEALTHCHECK[\s\S]*?CMD (\[.*\])/);
  const serve = argsOf(/^CMD (\[.*\])/m);
  assert.notEqual((await runCli(health)).code, 2);
  assert.deepEqual(findService('introspectd')?.command, serve);
  assert.match((await runCli(serve)).stderr, /--config \/etc\/introspectd\/introspectd\.yaml: no such file/);
  const certs = findService('certs')?.command.map((arg) => arg.replace('/data', temporaryFolder())) ?? [];
  const { code, stdout } = await runCli(certs);
  assert.equal(code, 0);
  for (const [, name] of stdout.matchAll(/certs\/([\w.]+)/g)) assert.ok(configText.includes(`/data/certs/${name}`));
  const cli = await runCli([...(findService('cli')?.command ?? []), '--timeout', '500ms']);
  assert.match(cli.stderr, /\/data\/certs\/orders|ca\.crt/);
});
