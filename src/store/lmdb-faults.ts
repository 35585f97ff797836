// One place that turns what LMDB and the file system throw into what an operator can act on. Texts are fixed.
import { StoreUnavailable } from '../core/errors.js';

const NO_SPACE = 'no room for the LMDB file: free disk space (or raise the file-size limit), then retry';
const NO_ACCESS = 'the data folder or its files may not be written by this user: change owner or mode (store.path)';

/** By errno on Linux and macOS, or by LMDB's own code. */
const ADVICE: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  [28, NO_SPACE],
  [27, NO_SPACE],
  [122, NO_SPACE],
  [69, NO_SPACE],
  ['ENOSPC', NO_SPACE],
  ['EFBIG', NO_SPACE],
  ['EDQUOT', NO_SPACE],
  [13, NO_ACCESS],
  [30, NO_ACCESS],
  [1, NO_ACCESS],
  ['EACCES', NO_ACCESS],
  ['EROFS', NO_ACCESS],
  ['EPERM', NO_ACCESS],
  ['EEXIST', 'the data folder (store.path) is a file: name a folder'],
  ['ENOTDIR', 'the data folder (store.path) lies below a file: name a folder'],
  ['ENOENT', 'the data folder (store.path) cannot be reached'],
  [-30790, 'too many processes read this store at once'],
  [-30795, 'LMDB met a fatal disk error: check the disk, then restart'],
  [-30796, 'the LMDB file is damaged: restore it from a backup'],
  [-30797, 'the LMDB file is damaged: restore it from a backup'],
]);

/** What is a StoreUnavailable already stays it. `fallback` is for faults without advice. */
export async function toStoreUnavailable(error: unknown, fallback: string): Promise<StoreUnavailable> {
  if (error instanceof StoreUnavailable) return error;
  const cause = (await findCommitError(error)) ?? error;
  return new StoreUnavailable(ADVICE.get(findCode(cause)) ?? fallback, { cause });
}

/** lmdb-js tells why a commit failed in a second rejection, which would end the process if nobody looked at it. */
async function findCommitError(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !('commitError' in error)) return undefined;
  try {
    await error.commitError;
    return undefined;
  } catch (reason) {
    return reason;
  }
}

function findCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
