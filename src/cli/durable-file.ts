// A file that only grows, and knows how much of it would survive a crash.
import { type FileHandle, open } from 'node:fs/promises';
import { CliError } from './cli-error.js';
import { printData, printNote } from './terminal.js';

export interface DurableFile {
  append(text: string): Promise<void>;
  /** Resolves when all that was appended is on the disk. */
  sync(): Promise<void>;
  /** How much was appended, with what was there before. */
  readonly bytes: number;
  close(): Promise<void>;
}

/** Claims are about people. */
const MODE = 0o600;
const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** What can only be printed. */
export function printedFile(where: 'stdout' | 'stderr' | 'nowhere'): DurableFile {
  return {
    append: async (text) => {
      if (text === '' || where === 'nowhere') return;
      if (where === 'stdout') await printData(text);
      else printNote(text.trimEnd());
    },
    sync: async () => undefined,
    bytes: 0,
    close: async () => undefined,
  };
}

/** An empty one may be there. Throws CliError when it holds something. */
export async function createDurableFile(path: string): Promise<DurableFile> {
  try {
    const handle = await open(path, 'a', MODE);
    const { size } = await handle.stat();
    if (size === 0) return toDurableFile(handle, path, 0);
    await handle.close();
  } catch (error) {
    throw explain(path, error);
  }
  throw new CliError(2, `${path} is there already`, 'Remove it, or choose another name.');
}

/** What is in it beyond `bytes` was not done for good, and is cut off. Throws CliError when there is less. */
export async function reopenDurableFile(path: string, bytes: number): Promise<DurableFile> {
  try {
    const handle = await open(path, 'r+');
    const { size } = await handle.stat();
    if (size < bytes) {
      await handle.close();
      throw new CliError(2, `${path} is shorter than it was: it was changed, so nothing can go on with it`);
    }
    await handle.truncate(bytes);
    return toDurableFile(handle, path, bytes);
  } catch (error) {
    throw explain(path, error);
  }
}

function toDurableFile(handle: FileHandle, path: string, start: number): DurableFile {
  let bytes = start;
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      throw explain(path, error);
    }
  };
  return {
    append: (text) =>
      attempt(async () => {
        let rest = Buffer.from(text);
        while (rest.length > 0) {
          const { bytesWritten } = await handle.write(rest, 0, rest.length, bytes);
          bytes += bytesWritten;
          rest = rest.subarray(bytesWritten);
        }
      }),
    sync: () => attempt(() => handle.datasync()),
    get bytes() {
      return bytes;
    },
    close: () => handle.close(),
  };
}

/** For whoever runs the job. Others' errors stay as they are. */
export function explain(path: string, error: unknown): unknown {
  const code = codeOf(error);
  if (code === undefined) return error;
  if (!FULL.includes(code)) return new CliError(1, `${path} cannot be written (${code})`);
  return new CliError(1, `${path}: the disk is full (${code})`, 'Make room, then go on where it stopped: --resume');
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
