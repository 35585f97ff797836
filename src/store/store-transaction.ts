import type { Digest, Tag } from '../core/key-ring.js';
import type { Cursor, LoggedRevocation, Revocation } from '../core/token-store.js';
import type { StoreSettings } from './store-meta.js';

export interface StoredEntry {
  readonly bytes: Uint8Array;
  readonly expiresAtMs: number;
}

export interface LiveRevocation extends Revocation {
  readonly expiresAtMs: number;
}

/**
 * What an engine gives the rules (store-rules.ts) inside one write transaction. The engine holds and moves bytes, and
 * hides what has expired; the rules decide what to write.
 */
export interface StoreTransaction {
  /** One time for the whole transaction. */
  readonly storeTimeMs: number;
  /** Those in force, with the writing key reserved for what is written now (store-keys.ts). */
  readonly settings: StoreSettings;

  findEntry(digest: Digest): StoredEntry | undefined;
  /** Takes the place of what stands there, expired or not. */
  putEntry(digest: Digest, entry: StoredEntry): void;
  findLive(tag: Tag): LiveRevocation | undefined;
  putLive(live: LiveRevocation): void;
  appendLog(revocation: LoggedRevocation): Cursor;
  /** Whether the store holds fewer than `max` unexpired tombstones of tokens that were never registered. */
  hasRoomForUnknownTombstone(max: number): boolean;
}
