// A real daemon in a folder of its own, and the clients of its callers.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createIntrospectionClient, type IntrospectionClient } from '@introspectd/client';
import type { RegisterTokensResponse } from '@introspectd/client/gen/introspectd/v1/token_registry_service';
import { type DaemonProcess, startDaemonProcess } from '../../src/cli/daemon-process.js';
import { createDevWorkspace, type DevCaller, type DevWorkspace } from '../../src/cli/dev-workspace.js';
import { AUDIENCE, FOREIGN_ISSUER, ISSUER } from '../cases/introspect-cases.js';
import { registerTokens, type TestToken } from './register-tokens.js';

export interface TestDaemon {
  readonly workspace: DevWorkspace;
  readonly logFile: string;
  /** The process that runs now. */
  readonly process: DaemonProcess;
  /** Connected to the process that runs now. */
  client(caller: string): IntrospectionClient;
  /** Registers as `login`; fails unless every entry was accepted. */
  register(entries: readonly TestToken[]): Promise<void>;
  /** The responses as they come. */
  tryRegister(caller: string, entries: readonly TestToken[]): Promise<RegisterTokensResponse>;
  /** Ends the process with the signal and starts another on the same folder. */
  restart(signal: NodeJS.Signals): Promise<void>;
  log(): string;
  /** Ends it and removes its folder; belongs into the test's "after". */
  stop(): Promise<void>;
}

/** Callers of most tests: an issuer, a service, one that may ask why, security, and a proxy. */
export const CALLERS: readonly DevCaller[] = [
  { name: 'login', permissions: ['register'], issuers: [ISSUER, FOREIGN_ISSUER], audiences: ['*'] },
  { name: 'orders', permissions: ['introspect', 'batch'], issuers: [ISSUER], audiences: [AUDIENCE] },
  { name: 'auditor', permissions: ['introspect', 'batch', 'explain'], issuers: [ISSUER], audiences: [AUDIENCE] },
  { name: 'security', permissions: [], revoke: ['token'], issuers: [ISSUER], audiences: ['*'] },
  { name: 'envoy', permissions: ['check'], issuers: [ISSUER], audiences: [AUDIENCE], check_anonymous: true },
];

export interface TestDaemonRequest {
  readonly callers?: readonly DevCaller[];
  readonly strangers?: readonly string[];
  readonly config?: Readonly<Record<string, unknown>>;
  /** Of node itself. */
  readonly nodeArgs?: readonly string[];
}

export async function startTestDaemon(request: TestDaemonRequest = {}): Promise<TestDaemon> {
  const { callers = CALLERS, strangers = [], config = {}, nodeArgs = [] } = request;
  const folder = mkdtempSync(join(tmpdir(), 'introspectd-test-'));
  const workspace = await createDevWorkspace({ folder, callers, strangers, config });
  const logFile = join(folder, 'daemon.log');
  const start = () => startDaemonProcess({ configFile: workspace.configFile, logFile, nodeArgs });
  let running = await start();
  const clients = new Map<string, IntrospectionClient>();

  async function closeClients(): Promise<void> {
    await Promise.all([...clients.values()].map((client) => client.close()));
    clients.clear();
  }

  const tryRegister = (caller: string, entries: readonly TestToken[]) =>
    registerTokens({ target: running.target, tls: workspace.tls(caller) }, entries);

  return {
    workspace,
    logFile,
    get process() {
      return running;
    },
    client: (caller) => {
      const tls = workspace.tls(caller);
      const client =
        clients.get(caller) ?? createIntrospectionClient({ target: running.target, tls, timeoutMs: 5_000 });
      clients.set(caller, client);
      return client;
    },
    register: async (entries) => {
      const { results } = await tryRegister('login', entries);
      const refused = results.findIndex(({ status }) => (status?.code ?? 0) !== 0);
      if (refused >= 0) throw new Error(`entry ${refused} was refused: ${results[refused]?.status?.message}`);
    },
    tryRegister,
    restart: async (signal) => {
      await closeClients();
      await running.stop(signal);
      running = await start();
    },
    log: () => readFileSync(logFile, 'utf8'),
    stop: async () => {
      await closeClients();
      await running.stop('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
