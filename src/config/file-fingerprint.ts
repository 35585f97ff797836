import { stat } from 'node:fs/promises';

/**
 * Changes with what stands at one of the paths: written in place, renamed over, or behind a symbolic link that was
 * turned, as Kubernetes does with secrets. Reads no contents. Never throws.
 */
export async function readFingerprint(paths: readonly string[]): Promise<string> {
  const parts = await Promise.all(paths.map(readOne));
  return parts.join('\n');
}

async function readOne(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'unknown fault';
  }
}
