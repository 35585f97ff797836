// How far a job is, for good: written when all it speaks of is on the disk, and replaced in one step.
import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { CliError } from './cli-error.js';
import { explain } from './durable-file.js';

const count = z.int().min(0);

const checkpointSchema = z.strictObject({
  version: z.literal(1),
  /** What the job was asked to do, but for how fast. */
  job: z.string(),
  /** Of the fingerprint of the input. */
  salt: z.string(),
  input: z.string(),
  position: z.strictObject({ file: count, line: count }),
  output_bytes: count,
  rejects_bytes: count,
  counts: z.record(z.string(), count),
  /** Rows after the position that were active and are about to be revoked: the lines where they begin. */
  revoking: z.strictObject({ file: count, lines: z.array(count) }),
  done: z.boolean(),
});

export type Checkpoint = z.infer<typeof checkpointSchema>;

export function checkpointPath(out: string): string {
  return `${out}.checkpoint`;
}

/** undefined when there is none. Throws CliError for one that is not ours. */
export async function readCheckpoint(path: string): Promise<Checkpoint | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw explain(path, error);
  }
  try {
    return checkpointSchema.parse(JSON.parse(text));
  } catch {
    throw new CliError(2, `${path} is no checkpoint of this version`);
  }
}

/** After a crash at any instant there is the old one or the new one, whole. */
export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  const draft = `${path}.new`;
  try {
    const handle = await open(draft, 'w', 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(checkpoint)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, path);
    await syncFolder(dirname(path));
  } catch (error) {
    throw explain(path, error);
  }
}

/** The new name is in the folder, which is a file of its own. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
