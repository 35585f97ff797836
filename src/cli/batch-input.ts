// The files of a job: which they are, whether they are still the same, and their bytes, unpacked.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { unpack } from './batch-unpack.js';
import { CliError } from './cli-error.js';
import { printNote } from './terminal.js';

export interface InputFile {
  /** undefined = stdin */
  readonly path: string | undefined;
  /** In the folder; undefined where there is only one file. */
  readonly name: string | undefined;
  readonly bytes: number;
}

export interface OpenInput {
  readonly chunks: AsyncIterable<Buffer>;
  /** How much of the file was read, packed as it is. */
  readBytes(): number;
}

const READ_BYTES = 512 * 1024;
const HEAD_BYTES = 64 * 1024;

/** In the order of their names. Throws CliError. */
export async function findInputs(file: string | undefined): Promise<readonly InputFile[]> {
  if (file === undefined || file === '-') return [{ path: undefined, name: undefined, bytes: 0 }];
  const found = await toReadable(file, stat(file));
  if (!found.isDirectory()) return [{ path: file, name: undefined, bytes: found.size }];
  const names = (await toReadable(file, readdir(file))).filter((name) => !name.startsWith('.')).sort();
  const files: InputFile[] = [];
  for (const name of names) {
    const path = join(file, name);
    const { size, isFile } = await toReadable(path, stat(path)).then((entry) => ({
      size: entry.size,
      isFile: entry.isFile(),
    }));
    if (isFile) files.push({ path, name, bytes: size });
  }
  if (files.length === 0) throw new CliError(2, `--file ${file} is a folder without files`);
  return files;
}

/** What a job writes among its input would be input of its next part. Throws CliError. */
export function checkOutside(files: readonly InputFile[], outputs: readonly (string | undefined)[]): void {
  const [first] = files;
  if (first?.name === undefined || first.path === undefined) return;
  const folder = resolve(dirname(first.path));
  const inside = outputs.find((path) => path !== undefined && dirname(resolve(path)) === folder);
  if (inside !== undefined) throw new CliError(2, `${inside} is in the folder of --file; write to another folder`);
}

/** The same as long as no file was changed, added or removed. Salted: a short file may be one token. */
export async function fingerprintInputs(files: readonly InputFile[], salt: string): Promise<string> {
  const hash = createHash('sha256').update(salt);
  for (const { path, name } of files) {
    if (path === undefined) continue;
    const handle = await toReadable(path, open(path));
    try {
      const { size, mtimeMs } = await handle.stat();
      const { buffer, bytesRead } = await toReadable(path, handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0));
      hash.update(JSON.stringify([name, size, mtimeMs])).update(buffer.subarray(0, bytesRead));
    } finally {
      await handle.close();
    }
  }
  return hash.digest('hex');
}

/** What goes wrong while it is read comes out of `chunks`, as CliError. */
export function openInput({ path, bytes }: InputFile, stop: AbortSignal): OpenInput {
  if (path === undefined && process.stdin.isTTY) printNote('Reading lines from the terminal; end with Ctrl-D.');
  const source = path === undefined ? process.stdin : createReadStream(path, { highWaterMark: READ_BYTES });
  // A terminal or a pipe that gives nothing would keep the process alive.
  stop.addEventListener('abort', () => source.destroy(), { once: true });
  let readBytes = 0;
  async function* count(): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of source) {
        readBytes += chunk.length;
        yield chunk;
      }
    } catch (error) {
      throw unreadable(path ?? '-', error);
    }
  }
  return { chunks: unpack(count(), path ?? 'stdin'), readBytes: () => (bytes === 0 ? 0 : readBytes) };
}

function toReadable<T>(path: string, pending: Promise<T>): Promise<T> {
  return pending.catch((error: unknown) => {
    throw unreadable(path, error);
  });
}

function unreadable(path: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  return code === undefined ? error : new CliError(2, `--file ${path} cannot be read (${code})`);
}
