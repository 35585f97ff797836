// How the client commands reach a daemon: shared options, one connection, one way to end.
import { dirname, join } from 'node:path';
import { createIntrospectionClient, type IntrospectionClient, IntrospectionError } from '@introspectd/client';
import type { Command } from 'commander';
import { CliError } from './cli-error.js';
import { explainCallError } from './explain-call-error.js';
import { durationOption } from './parse-option.js';
import { quietGrpc } from './quiet-grpc.js';

export interface ConnectionOptions {
  readonly target: string;
  readonly as?: string;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly serverName?: string;
  /** Milliseconds. */
  readonly timeout: number;
}

export interface Connection {
  readonly client: IntrospectionClient;
  readonly target: string;
  readonly certFile: string;
  readonly timeoutMs: number;
}

export function addConnectionOptions(command: Command): Command {
  return command
    .option('--target <host:port>', 'where the daemon listens', 'localhost:50051')
    .option('--ca-file <path>', "CA of the daemon's certificate, PEM")
    .option('--cert-file <path>', 'your client certificate, PEM; the policy knows you by it')
    .option('--key-file <path>', 'its private key, PEM')
    .option('--as <path>', 'short for the three: PATH.crt, PATH.key, and ca.crt in the same folder')
    .option('--server-name <name>', "name in the daemon's certificate, where it is not the host of --target")
    .addOption(durationOption('--timeout', 'longest wait for each call, such as 500ms').default(5000, '5s'));
}

/** Opens, works, closes. What the call failed with becomes a CliError that says what to do. */
export async function withConnection<T>(
  options: ConnectionOptions,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const files = toTlsFiles(options);
  const about = { target: options.target, certFile: files.certFile };
  let client: IntrospectionClient | undefined;
  quietGrpc();
  try {
    const { serverName } = options;
    const tls = serverName === undefined ? files : { ...files, serverName };
    // A command asks once: it has no use for a cache and the watch that would fill it.
    client = createIntrospectionClient({ target: options.target, tls, timeoutMs: options.timeout, cache: false });
    return await work({ client, ...about, timeoutMs: options.timeout });
  } catch (error) {
    throw error instanceof IntrospectionError ? explainCallError(error, about) : error;
  } finally {
    await client?.close();
  }
}

/** Throws CliError. For commands that would wait as long as it takes: whoever types one wants to know that there is no daemon. */
export async function waitForDaemon({ client, target, timeoutMs }: Connection): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const silent = new CliError(1, `no connection to ${target}. Is the daemon running?`);
    client.raw.waitForReady(Date.now() + timeoutMs, (error) => (error ? reject(silent) : resolve()));
  });
}

function toTlsFiles({ as, ...given }: ConnectionOptions) {
  const caFile = given.caFile ?? (as === undefined ? undefined : join(dirname(as), 'ca.crt'));
  const certFile = given.certFile ?? (as === undefined ? undefined : `${as}.crt`);
  const keyFile = given.keyFile ?? (as === undefined ? undefined : `${as}.key`);
  if (caFile !== undefined && certFile !== undefined && keyFile !== undefined) return { caFile, certFile, keyFile };
  const options = { '--ca-file': caFile, '--cert-file': certFile, '--key-file': keyFile };
  const missing = Object.entries(options).flatMap(([option, value]) => (value === undefined ? option : []));
  throw new CliError(
    2,
    `missing: ${missing.join(', ')}. The daemon talks to nobody without a client certificate.`,
    'For development: introspectd certs dev --out certs, then --as certs/orders stands for all three.',
  );
}
