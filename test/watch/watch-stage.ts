// Daemons in this process on one store of an engine, over real mTLS, with a policy that a test may replace.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Daemon, serveStore } from '../../src/cli/daemon.js';
import { createDevWorkspace } from '../../src/cli/dev-workspace.js';
import { createProcessFacts } from '../../src/cli/process-facts.js';
import { loadConfig } from '../../src/config/load-config.js';
import { type CallerRule, createPolicy } from '../../src/core/policy.js';
import type { Cursor, TokenStore } from '../../src/core/token-store.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { createMetrics } from '../../src/telemetry/metrics.js';
import { ISSUER_TAG } from '../store/fixtures.js';
import { RING, type StoreHarness } from '../store/harness.js';
import { openWatch, type TestWatch, type WatchRequest } from '../support/watch-stream.js';

export const ISS = 'https://login.example';
export const OTHER_ISS = 'https://other.example';

/** A caller that may watch, of this issuer. */
export function watcherRule(name: string, changes: Partial<CallerRule> = {}): CallerRule {
  return {
    name,
    identities: [`spiffe://demo/${name}`],
    permissions: ['watch', 'introspect'],
    revoke: [],
    issuers: [ISS],
    audiences: ['*'],
    tokenUse: undefined,
    claims: undefined,
    ...changes,
  };
}

const RULES = [watcherRule('one'), watcherRule('two'), watcherRule('foreign', { issuers: [OTHER_ISS] })];

export interface WatchStage {
  readonly harness: StoreHarness;
  /** For all daemons, from the next call or check on. */
  setPolicy(rules: readonly CallerRule[]): void;
  /** One more daemon, on this handle of the store. */
  startDaemon(store: TokenStore): Promise<Daemon>;
  /** A stream of this caller, not started. */
  open(daemon: Daemon, caller: string, more?: Partial<WatchRequest>): TestWatch;
  /** A watch that stands. */
  watch(daemon: Daemon, caller: string, after?: string): Promise<TestWatch>;
  /** Revokes something of this number, and says where the revocation stands. */
  revoke(store: TokenStore, number: number, iss?: string): Promise<Cursor>;
  log(): string;
  close(): Promise<void>;
}

export async function startWatchStage(
  harness: StoreHarness,
  limits: Readonly<Record<string, unknown>> = {},
): Promise<WatchStage> {
  const folder = mkdtempSync(join(tmpdir(), 'introspectd-watch-'));
  const callers = RULES.map(({ name }) => ({ name, permissions: ['watch'], issuers: [ISS], audiences: ['*'] }));
  const workspace = await createDevWorkspace({ folder, callers, strangers: ['stranger'], config: { limits } });
  const file = { path: workspace.configFile, text: readFileSync(workspace.configFile, 'utf8') };
  const { config } = loadConfig({ file, env: {}, flags: new Map(), workingFolder: folder });
  const tls = {
    cert: readFileSync(config.tls.certFile),
    key: readFileSync(config.tls.keyFile),
    clientCa: readFileSync(config.tls.clientCaFile),
  };
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const logger = createLogger({ level: 'debug', service: 'test', destination });
  let policy = createPolicy(RULES);
  const daemons = new Set<Daemon>();
  const watches = new Set<TestWatch>();

  const stage: WatchStage = {
    harness,
    setPolicy: (rules) => {
      policy = createPolicy(rules);
    },
    startDaemon: async (store) => {
      // The harness closes its handles.
      const kept = { ...store, close: async () => undefined };
      const metrics = createMetrics(createProcessFacts());
      const deps = { config, tls, policy: () => policy, keyRing: RING, logger, metrics };
      const started = await serveStore(kept, deps);
      const daemon: Daemon = {
        ...started,
        stop: async (times) => {
          daemons.delete(daemon);
          await started.stop(times);
        },
      };
      daemons.add(daemon);
      return daemon;
    },
    open: (daemon, caller, more = {}) => {
      const watch = openWatch({ target: daemon.listen, tls: workspace.tls(caller), ...more });
      watches.add(watch);
      return watch;
    },
    watch: async (daemon, caller, after) => {
      const watch = stage.open(daemon, caller);
      watch.start(after);
      await watch.nextOf('started');
      return watch;
    },
    revoke: async (store, number, iss = ISS) => {
      const issuerTag = iss === ISS ? ISSUER_TAG : RING.tag('issuer', iss, '');
      const { revision } = await store.revokeTag({ tag: tagOf(number), issuerTag, beforeMs: number });
      return revision;
    },
    log: () => lines.join(''),
    close: async () => {
      for (const watch of watches) watch.close();
      for (const daemon of [...daemons]) await daemon.stop({ noticeMs: 0, budgetMs: 2000 });
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return stage;
}

/** What a watch of this caller calls the thing that revoke() revokes. */
export function sealedTag(caller: string, number: number): string {
  return RING.sealTags(caller, tagOf(number)).toString('hex');
}

function tagOf(number: number) {
  return RING.tag('jti', ISS, `${number}`);
}
