// Certificates and keys as files: NAME.crt, NAME.key (0600), never over a file that is there.
import { access, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '../store/make-folder.js';
import { CliError } from './cli-error.js';
import type { KeyAndCertificate } from './dev-certificates.js';

export interface NewFile {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
}

export function toFiles(folder: string, name: string, { certPem, keyPem }: KeyAndCertificate): readonly NewFile[] {
  return [
    { path: join(folder, `${name}.crt`), text: certPem, mode: 0o644 },
    { path: join(folder, `${name}.key`), text: keyPem, mode: 0o600 },
  ];
}

/** All or, where one of them is there already, none. Makes their folder. */
export async function writeNewFiles(files: readonly NewFile[]): Promise<void> {
  for (const { path } of files) if (await exists(path)) throw taken(path);
  try {
    for (const { path, text, mode } of files) {
      await makeFolder(dirname(path));
      await writeFile(path, text, { flag: 'wx', mode });
    }
  } catch (error) {
    throw new CliError(1, `cannot write ${files.map(({ path }) => path).join(', ')} (${codeOf(error)})`);
  }
}

export async function readCa(folder: string): Promise<KeyAndCertificate> {
  return { certPem: await readPem(join(folder, 'ca.crt')), keyPem: await readPem(join(folder, 'ca.key')) };
}

export async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new CliError(2, `${path} cannot be read (${codeOf(error)}); introspectd certs ca makes a CA`);
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function taken(path: string): CliError {
  return new CliError(1, `${path} is there already; nothing was written. Remove it, or give another --out.`);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown fault';
}
