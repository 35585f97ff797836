// The daemon's parts in this process, on a real store behind real TLS, so that a test can stand between rules and store.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createIntrospectionClient, type IntrospectionClient } from '@introspectd/client';
import { serveStore } from '../../src/cli/daemon.js';
import { createDevWorkspace, type DevCaller, type DevWorkspace } from '../../src/cli/dev-workspace.js';
import { openStore } from '../../src/cli/open-store.js';
import { createProcessFacts } from '../../src/cli/process-facts.js';
import { loadConfig } from '../../src/config/load-config.js';
import { parsePolicyFile } from '../../src/config/policy-file.js';
import { formatNewKeys, parseKeyRing } from '../../src/core/key-ring.js';
import { createPolicy } from '../../src/core/policy.js';
import type { TokenStore } from '../../src/core/token-store.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { createMetrics } from '../../src/telemetry/metrics.js';
import { CALLERS } from './daemon.js';
import { registerTokens, type TestToken } from './register-tokens.js';

export interface InProcessDaemon {
  readonly target: string;
  readonly workspace: DevWorkspace;
  readonly opsTarget: string;
  client(caller: string): IntrospectionClient;
  register(entries: readonly TestToken[]): ReturnType<typeof registerTokens>;
  log(): string;
  stop(): Promise<void>;
}

export async function startInProcessDaemon(
  wrap: (store: TokenStore) => TokenStore,
  settings: Readonly<Record<string, unknown>> = {},
  callers: readonly DevCaller[] = CALLERS,
): Promise<InProcessDaemon> {
  const folder = mkdtempSync(join(tmpdir(), 'introspectd-test-'));
  const workspace = await createDevWorkspace({ folder, callers, strangers: [], config: settings });
  const file = { path: workspace.configFile, text: readFileSync(workspace.configFile, 'utf8') };
  const { config } = loadConfig({ file, env: {}, flags: new Map(), workingFolder: folder });
  const keyRing = parseKeyRing(formatNewKeys(randomBytes));
  const policy = createPolicy(parsePolicyFile(readFileSync(config.policyFile, 'utf8'), config.policyFile));
  const store = await openStore(config, keyRing);
  const lines: string[] = [];
  const tls = {
    cert: readFileSync(config.tls.certFile),
    key: readFileSync(config.tls.keyFile),
    clientCa: readFileSync(config.tls.clientCaFile),
  };
  const logger = createLogger({
    level: 'debug',
    service: 'test',
    destination: { write: (line) => void lines.push(line) },
  });
  const metrics = createMetrics(createProcessFacts());
  const daemon = await serveStore(wrap(store), { config, tls, policy: () => policy, keyRing, logger, metrics });
  const clients = new Map<string, IntrospectionClient>();
  return {
    target: daemon.listen,
    workspace,
    opsTarget: daemon.opsListen,
    client: (caller) => {
      // Told the truth of each call: nothing is asked twice.
      const options = { target: daemon.listen, tls: workspace.tls(caller), timeoutMs: 5000, retry: false as const };
      const client = clients.get(caller) ?? createIntrospectionClient(options);
      clients.set(caller, client);
      return client;
    },
    register: (entries) => registerTokens({ target: daemon.listen, tls: workspace.tls('login') }, entries),
    log: () => lines.join(''),
    stop: async () => {
      await Promise.all([...clients.values()].map((client) => client.close()));
      await daemon.stop({ noticeMs: 0, budgetMs: 5000 });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
