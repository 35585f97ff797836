import { open } from 'node:fs/promises';

/** Fixed texts for what keeps a file from being read; they tell what to do. */
const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file; create it or correct the path',
  EACCES: 'may not be read by this user; change its owner or mode',
  EPERM: 'may not be read by this user; change its owner or mode',
  EISDIR: 'is a folder; give the path of a file',
  ENOTDIR: 'no such file: a part of the path is not a folder',
};

export type FileRead =
  | { readonly bytes: Buffer; readonly mode: number; readonly problem?: undefined }
  | { readonly problem: string; readonly bytes?: undefined; readonly mode?: undefined };

/** A regular file of at most `maxBytes`, or what keeps it from being read. Never throws. */
export async function readBoundedFile(path: string, maxBytes: number): Promise<FileRead> {
  try {
    await using file = await open(path, 'r');
    const { size, mode } = await file.stat();
    if (size > maxBytes) return { problem: `is larger than ${maxBytes} bytes` };
    return { bytes: await file.readFile(), mode };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown fault';
    return { problem: PROBLEMS[code] ?? `cannot be read (${code})` };
  }
}

/** Whether users other than the owner and the group may read or change it. */
export function isOpenToOthers(mode: number): boolean {
  return (mode & 0o007) !== 0;
}
