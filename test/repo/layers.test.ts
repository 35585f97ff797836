// The rules can be read and tested without a network, a disk or a clock only as long as nothing below looks up; and a
// client that imports the server would publish it.
import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { test } from 'node:test';
import { findSources, type ProjectFile } from './project-files.js';

interface Layer {
  /** Folders it may import from, its own too. */
  readonly folders: readonly string[];
  /** Packages and modules of Node it may import. Undefined = any. */
  readonly packages?: readonly string[];
}

const LAYERS: Readonly<Record<string, Layer>> = {
  'src/core/': { folders: ['src/core/'], packages: ['node:crypto'] },
  'src/store/': { folders: ['src/core/', 'src/store/'] },
  'src/telemetry/': { folders: ['src/core/', 'src/telemetry/'] },
  // Which TLS files can be served is known where they are served.
  'src/config/': { folders: ['src/core/', 'src/config/', 'src/grpc/tls-material.'] },
  'src/grpc/': { folders: ['src/core/', 'src/gen/', 'src/telemetry/', 'src/grpc/'] },
  // It is served as every other service is.
  'src/envoy/': {
    folders: ['src/core/', 'src/gen/', 'src/telemetry/', 'src/envoy/', 'src/grpc/method.', 'src/grpc/unary.'],
  },
  'client/src/': { folders: ['client/src/'], packages: ['@bufbuild/protobuf', '@grpc/grpc-js', 'lru-cache', 'node:*'] },
};

/** Packages that one part of the program speaks to for all others. */
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  lmdb: ['src/store/'],
  pino: ['src/telemetry/', 'src/cli/'],
  zod: ['src/config/', 'src/cli/checkpoint.ts'],
  commander: ['src/main.ts', 'src/cli/'],
  '@opentelemetry': ['src/telemetry/'],
  '@peculiar/x509': ['src/cli/', 'src/grpc/crl.ts'],
  '@introspectd/client': ['src/cli/'],
};

const IMPORT = /\b(?:from|import|require|createRequire\(import\.meta\.url\))\s*\(?\s*'([^']+)'/g;
const sources = findSources();

test('every layer imports only what is below it', () => {
  const faults = sources.flatMap((file) => {
    const layer = Object.entries(LAYERS).find(([folder]) => file.path.startsWith(folder))?.[1];
    if (layer === undefined) return [];
    return findImports(file)
      .filter((imported) => !mayImport(layer, imported))
      .map((imported) => `${file.path} imports ${imported}`);
  });
  assert.deepEqual(faults, []);
});

test('a package with an owner is imported nowhere else in src', () => {
  const faults = sources.flatMap((file) =>
    findImports(file)
      .filter((imported) => file.path.startsWith('src/') && isTaken(imported, file.path))
      .map((imported) => `${file.path} imports ${imported}`),
  );
  assert.deepEqual(faults, []);
});

// One place reads the environment, the arguments and the signals, and decides when the process ends. ('process.uptime'
// in quotes is the name of a metric.)
test('only src/main.ts and src/cli touch the process', () => {
  const faults = sources
    .filter(({ path }) => /^(client\/)?src\//.test(path) && path !== 'src/main.ts' && !path.startsWith('src/cli/'))
    .filter(({ text }) => /(?<!')\bprocess\.\w|\bnode:process\b|\bconsole\.\w/.test(withoutComments(text)))
    .map(({ path }) => path);
  assert.deepEqual(faults, []);
});

test('the layers are there', () => {
  const absent = Object.keys(LAYERS).filter((folder) => !sources.some(({ path }) => path.startsWith(folder)));
  assert.deepEqual(absent, []);
});

/** Relative imports as paths from the root, others as they are written. */
function findImports({ path, text }: ProjectFile): string[] {
  const specifiers = [...withoutComments(text).matchAll(IMPORT)].map(([, specifier]) => specifier ?? '');
  return specifiers.map((specifier) =>
    specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : specifier,
  );
}

function mayImport({ folders, packages }: Layer, imported: string): boolean {
  if (/^(client|src|test|bench)\//.test(imported)) return folders.some((folder) => imported.startsWith(folder));
  if (imported.startsWith('@introspectd/')) return false;
  return packages === undefined || packages.some((name) => isOf(name, imported));
}

function isTaken(imported: string, path: string): boolean {
  const owners = Object.entries(OWNERS).find(([name]) => isOf(name, imported))?.[1];
  return owners !== undefined && !owners.some((owner) => path.startsWith(owner));
}

/** `name` itself or a part of it; "node:*" is every module of Node. */
function isOf(name: string, imported: string): boolean {
  return name.endsWith('*')
    ? imported.startsWith(name.slice(0, -1))
    : imported === name || imported.startsWith(`${name}/`);
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '');
}
