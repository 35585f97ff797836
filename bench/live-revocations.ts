// A store with many live revocations, written as a daemon writes them.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { openStore } from '../src/cli/open-store.js';
import { readKeysFile } from '../src/config/keys-file.js';
import { loadConfig } from '../src/config/load-config.js';
import type { Tag } from '../src/core/key-ring.js';
import { END_OF_TIME_MS } from '../src/core/token-store.js';

const AT_ONCE = 5000;

/** Opens the store of this configuration, makes it if there is none, and closes it again. */
export async function writeLiveRevocations(configFile: string, count: number): Promise<void> {
  const file = { path: configFile, text: readFileSync(configFile, 'utf8') };
  const { config } = loadConfig({ file, env: {}, flags: new Map(), workingFolder: dirname(configFile) });
  const { keyRing } = await readKeysFile(config.keysFile);
  const store = await openStore(config, keyRing);
  try {
    for (let written = 0; written < count; written += AT_ONCE) {
      await Promise.all(
        Array.from({ length: Math.min(AT_ONCE, count - written) }, () =>
          store.revokeTag({ tag: makeTag(), issuerTag: makeTag(), beforeMs: END_OF_TIME_MS }),
        ),
      );
    }
  } finally {
    await store.close();
  }
}

/** Tags are keyed hashes: as good as random. */
function makeTag(): Tag {
  return randomBytes(8) as Uint8Array as Tag;
}
