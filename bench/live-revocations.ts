// A store with many live revocations, written as a daemon writes them.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStore } from '../src/cli/open-store.js';
import { readKeysFile } from '../src/config/keys-file.js';
import { loadConfig } from '../src/config/load-config.js';
import { StoreUnavailable } from '../src/core/errors.js';
import type { Tag } from '../src/core/key-ring.js';
import { END_OF_TIME_MS, type TokenStore } from '../src/core/token-store.js';

const AT_ONCE = 1000;
const MAX_ATTEMPTS = 20;
const RETRY_AFTER_MS = 500;
/** Filling a store is not what is measured. */
const PATIENCE = new Map([['limits.store_timeout', '10s']]);

/** Opens the store of this configuration, makes it if there is none, and closes it again. */
export async function writeLiveRevocations(configFile: string, count: number): Promise<void> {
  const file = { path: configFile, text: readFileSync(configFile, 'utf8') };
  const { config } = loadConfig({ file, env: {}, flags: PATIENCE, workingFolder: dirname(configFile) });
  const { keyRing } = await readKeysFile(config.keysFile);
  const store = await openStore(config, keyRing);
  try {
    // Tags are keyed hashes: as good as random. In their order, because LMDB then fills one page after the other.
    const tags = Array.from({ length: count }, () => randomBytes(8)).sort(Buffer.compare);
    for (let start = 0; start < count; start += AT_ONCE) await revokeAll(store, tags.slice(start, start + AT_ONCE));
  } finally {
    await store.close();
  }
}

/** A busy disk may keep a store silent for longer than it may; what is revoked twice is there once. */
async function revokeAll(store: Pick<TokenStore, 'revokeTag'>, tags: readonly Buffer[]): Promise<void> {
  const revoke = (bytes: Buffer) => {
    const tag = bytes as Uint8Array as Tag;
    return store.revokeTag({ tag, issuerTag: tag, beforeMs: END_OF_TIME_MS });
  };
  for (let attempt = 1; ; attempt++) {
    try {
      await Promise.all(tags.map(revoke));
      return;
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || attempt === MAX_ATTEMPTS) throw error;
      await sleep(RETRY_AFTER_MS);
    }
  }
}
