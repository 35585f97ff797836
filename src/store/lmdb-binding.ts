// The part of lmdb-js 3.5 that this store uses, with binary keys and values.
import { createRequire } from 'node:module';

/** Values of getBinaryFast are LMDB's own buffer, overwritten by the next get. */
export interface BinaryDatabase {
  getBinary(key: Buffer): Buffer | undefined;
  getBinaryFast(key: Buffer): Buffer | undefined;
  getRange(range: Range): Iterable<{ readonly key: Buffer; readonly value: Buffer }>;
  getKeys(range: Range): Iterable<Buffer>;
  getKeysCount(range: Range): number;
  /** Inside a transaction alone, as we use it. */
  putSync(key: Buffer, value: Buffer): void;
  removeSync(key: Buffer): boolean;
}

export interface Range {
  readonly start?: Buffer;
  readonly exclusiveStart?: boolean;
  /** Not part of the range. */
  readonly end?: Buffer;
  readonly limit?: number;
}

export interface Environment {
  /** Undefined when it is not there and may not be made. */
  openDB(options: typeof BINARY & { readonly name: string }): BinaryDatabase | undefined;
  resetReadTxn(): void;
  /** `action` runs on this thread, later; resolves when the commit is done. */
  transaction<Result>(action: () => Result): Promise<Result>;
  /** Commits to disk before it returns; what `action` throws undoes it. */
  transactionSync<Result>(action: () => Result): Result;
  close(): Promise<void>;
}

export interface EnvironmentOptions {
  readonly noSubdir: boolean;
  readonly maxDbs: number;
  readonly overlappingSync: boolean;
  readonly eventTurnBatching: boolean;
  readonly permissionsMode: number;
  readonly readOnly?: boolean;
}

export const BINARY = { keyEncoding: 'binary', encoding: 'binary' } as const;

interface Lmdb {
  open(path: string, options: EnvironmentOptions & typeof BINARY): Environment;
}

// Not by `import`: the type declarations that lmdb has for ES modules do not compile (TS1203, `export =`).
export const lmdb = createRequire(import.meta.url)('lmdb') as Lmdb;
