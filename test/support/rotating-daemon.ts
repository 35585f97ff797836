// A real daemon whose certificates, revocation list and policy a test rewrites while it runs.
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect } from 'node:tls';
import { createIntrospectionClient, type IntrospectionClient } from '@introspectd/client';
import { startDaemonProcess } from '../../src/cli/daemon-process.js';
import { createDevWorkspace, type DevCaller } from '../../src/cli/dev-workspace.js';
import { registerTokens, type TestToken } from './register-tokens.js';
import { createTestCa, type TestIdentity } from './test-ca.js';
import type { TestTls } from './test-credentials.js';

/** Files of the tls section, by name in the folder of a secret. */
export type SecretFiles = Readonly<Record<'tls.crt' | 'tls.key' | 'ca.crt' | 'crl.pem', string>>;

export interface LogRecord {
  readonly msg: string;
  readonly part?: string;
  /** Of reload_failed: the setting or the key, the file or the line, and what is wrong. */
  readonly at?: string;
  readonly where?: string;
  readonly problem?: string;
}

export interface RotatingDaemon {
  readonly pid: number;
  /** "host:port" */
  readonly target: string;
  /** What a client presents. */
  tls(name: Client): TestTls;
  readonly policyFile: string;
  /** A path in the folder of the secret. */
  secretPath(name: keyof SecretFiles): string;
  /** A server certificate of the CA and its key, and a list that names the revoked client. */
  newSecret(): Promise<SecretFiles>;
  /** All at once, as Kubernetes does: a new folder, and ..data turned to it. */
  turnSecret(files: SecretFiles): void;
  connectAs(name: Client): IntrospectionClient;
  register(entries: readonly TestToken[]): Promise<unknown>;
  /** Whether a handshake leads to an h2 connection, and the certificate that the server showed. */
  shakeHands(name: Client, options?: ConnectionOptions): Promise<{ readonly accepted: boolean; readonly pem: string }>;
  records(msg: string): readonly LogRecord[];
  /** Waits until so many records of this kind are there; fails after ten seconds. */
  untilLogged(count: number, msg: string, part: string): Promise<void>;
  log(): string;
  stop(): Promise<void>;
}

export type Client = 'orders' | 'login' | 'revoked';

const LOG_TIMEOUT_MS = 10_000;

export async function startRotatingDaemon(
  callers: readonly DevCaller[],
  more: Readonly<Record<string, unknown>> = {},
): Promise<RotatingDaemon> {
  const folder = mkdtempSync(join(tmpdir(), 'introspectd-test-'));
  const at = (name: string) => join(folder, name);
  const tls = { cert_file: 'live/tls.crt', key_file: 'live/tls.key', client_ca_file: 'live/ca.crt' };
  const config = { tls: { ...tls, crl_file: 'live/crl.pem' }, ...more };
  const workspace = await createDevWorkspace({ folder, callers, strangers: [], config });
  const ca = await createTestCa('introspectd rotating CA');
  const clients: Record<Client, TestIdentity> = {
    orders: await ca.issue({ uris: ['spiffe://demo/orders'] }),
    login: await ca.issue({ uris: ['spiffe://demo/login'] }),
    revoked: await ca.issue({ uris: ['spiffe://demo/orders'] }),
  };
  const clientTls = (name: Client) => ({
    caFile: at('client-ca.crt'),
    certFile: at(`client-${name}.crt`),
    keyFile: at(`client-${name}.key`),
  });
  writeFileSync(at('client-ca.crt'), ca.certPem);
  for (const name of ['orders', 'login', 'revoked'] as const) {
    writeFileSync(clientTls(name).certFile, clients[name].certPem);
    writeFileSync(clientTls(name).keyFile, clients[name].keyPem);
  }

  const newSecret = async (): Promise<SecretFiles> => {
    const { certPem, keyPem } = await ca.issue({ dnsNames: ['localhost'] });
    return { 'tls.crt': certPem, 'tls.key': keyPem, 'ca.crt': ca.certPem, 'crl.pem': await ca.crl([clients.revoked]) };
  };
  let version = 0;
  const turnSecret = (files: SecretFiles) => {
    const name = `..${++version}`;
    mkdirSync(at(`live/${name}`), { recursive: true });
    for (const [file, text] of Object.entries(files)) writeFileSync(at(`live/${name}/${file}`), text, { mode: 0o600 });
    symlinkSync(name, at('live/..next'));
    renameSync(at('live/..next'), at('live/..data'));
  };
  const first = await newSecret();
  turnSecret(first);
  for (const file of Object.keys(first)) symlinkSync(`..data/${file}`, at(`live/${file}`));

  const logFile = at('daemon.log');
  const daemon = await startDaemonProcess({ configFile: workspace.configFile, logFile });
  const open: IntrospectionClient[] = [];
  const log = () => readFileSync(logFile, 'utf8');
  const records = (msg: string) =>
    log()
      .split('\n')
      .filter((line) => line.endsWith('}'))
      .map((line) => JSON.parse(line) as LogRecord)
      .filter((record) => record.msg === msg);

  return {
    pid: daemon.pid,
    target: daemon.target,
    tls: clientTls,
    policyFile: workspace.policyFile,
    secretPath: (name) => at(`live/${name}`),
    newSecret,
    turnSecret,
    connectAs: (name) => {
      const client = createIntrospectionClient({ target: daemon.target, tls: clientTls(name), timeoutMs: 5000 });
      open.push(client);
      return client;
    },
    register: (entries) => registerTokens({ target: daemon.target, tls: clientTls('login') }, entries),
    shakeHands: (name, options = {}) =>
      new Promise((resolve) => {
        const [host = '', port = ''] = daemon.target.split(':');
        const { certPem: cert, keyPem: key } = clients[name];
        const socket = connect({
          host,
          port: Number(port),
          ca: ca.certPem,
          cert,
          key,
          ALPNProtocols: ['h2'],
          ...options,
        });
        const end = (accepted: boolean) => {
          resolve({ accepted, pem: socket.getPeerX509Certificate()?.toString() ?? '' });
          socket.destroy();
        };
        // The server speaks first, and only once it has verified: with TLS 1.3 a handshake ends earlier for clients.
        socket.once('data', () => end(true));
        socket.once('error', () => end(false));
        socket.once('close', () => end(false));
      }),
    records,
    untilLogged: async (count, msg, part) => {
      const endMs = performance.now() + LOG_TIMEOUT_MS;
      while (records(msg).filter((record) => record.part === part).length < count) {
        if (performance.now() > endMs) throw new Error(`not ${count} of ${msg} ${part}:\n${log()}`);
        await sleep(20);
      }
    },
    log,
    stop: async () => {
      await Promise.all(open.map((client) => client.close()));
      await daemon.stop('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
