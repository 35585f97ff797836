// DESIGN §7: the unary reads of one tick go to the store as one read. Counted on a real server over real TLS and LMDB.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createIntrospectionClient } from '@introspectd/client';
import { serveStore } from '../../src/cli/daemon.js';
import { createDevWorkspace } from '../../src/cli/dev-workspace.js';
import { loadConfig } from '../../src/config/load-config.js';
import { parsePolicyFile } from '../../src/config/policy-file.js';
import { formatNewKeys, parseKeyRing } from '../../src/core/key-ring.js';
import { createPolicy } from '../../src/core/policy.js';
import type { TokenStore } from '../../src/core/token-store.js';
import { openLmdbTokenStore } from '../../src/store/lmdb-token-store.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { CALLERS } from '../support/daemon.js';

const CALLS = 100;

describe('concurrent calls', () => {
  it(`${CALLS} Introspects at once make at most 3 store reads`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'introspectd-test-'));
    const workspace = await createDevWorkspace({ folder, callers: CALLERS, strangers: [], config: {} });
    const file = { path: workspace.configFile, text: readFileSync(workspace.configFile, 'utf8') };
    const { config } = loadConfig({ file, env: {}, flags: new Map(), workingFolder: folder });
    const keyRing = parseKeyRing(formatNewKeys(randomBytes));
    const policy = createPolicy(parsePolicyFile(readFileSync(config.policyFile, 'utf8'), config.policyFile));
    const store = await openLmdbTokenStore({
      path: config.store.path,
      clock: Date.now,
      keyChecks: keyRing.checks,
      defaults: config.storeDefaults,
      logEntries: config.limits.logEntries,
    });
    let reads = 0;
    const counting: TokenStore = {
      ...store,
      read: (digests, cursor) => {
        if (digests.length > 0) reads++;
        return store.read(digests, cursor);
      },
    };
    const daemon = await serveStore(counting, {
      config,
      tls: {
        cert: readFileSync(config.tls.certFile),
        key: readFileSync(config.tls.keyFile),
        clientCa: readFileSync(config.tls.clientCaFile),
      },
      policy: () => policy,
      keyRing,
      logger: createLogger({ level: 'error', service: 'test', destination: { write: () => undefined } }),
    });
    const client = createIntrospectionClient({ target: daemon.listen, tls: workspace.tls('orders'), timeoutMs: 5000 });
    after(async () => {
      await client.close();
      await daemon.stop({ noticeMs: 0, budgetMs: 5000 });
      rmSync(folder, { recursive: true, force: true });
    });

    await client.introspect('warm-up');
    reads = 0;
    const answers = await Promise.all(Array.from({ length: CALLS }, (_, index) => client.introspect(`token-${index}`)));
    assert.equal(answers.length, CALLS);
    assert.ok(reads >= 1 && reads <= 3, `${reads} store reads`);
  });
});
