// Credentials of the client: its certificate, and the one authority it trusts.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { ChannelCredentials } from '@grpc/grpc-js';
import { IntrospectionError } from './introspection-error.js';

interface TlsCommon {
  /**
   * The name to expect in the server's certificate, where it is not the host of the target; for development and tunnels.
   * Default: the host of the target.
   */
  readonly serverName?: string | undefined;
}

/**
 * Certificate, key and authority as PEM files. When they change, new connections are made with what they hold then, and
 * the calls move over; files that cannot be used change nothing.
 */
export interface TlsFiles extends TlsCommon {
  /** Authorities that the server's certificate must come from. No other is trusted, not even the system's. */
  readonly caFile: string;
  /** The client's certificate, leaf first, followed by its intermediates. The daemon knows its callers by it. */
  readonly certFile: string;
  /** The private key of the certificate, unencrypted. */
  readonly keyFile: string;
  /**
   * How often to look whether the files changed, in milliseconds; 0 = never.
   *
   * @defaultValue 2000
   */
  readonly reloadMs?: number | undefined;
}

/** Certificate, key and authority as PEM text or bytes. */
export interface TlsMaterial extends TlsCommon {
  /** As {@link TlsFiles.caFile}. */
  readonly ca: string | Uint8Array;
  /** As {@link TlsFiles.certFile}. */
  readonly cert: string | Uint8Array;
  /** As {@link TlsFiles.keyFile}. */
  readonly key: string | Uint8Array;
}

/** How the client proves who it is, and whom it trusts. There is no plaintext mode. */
export type ClientTls = TlsFiles | TlsMaterial;

/** A part of {@link ClientTls}, read. */
interface Pem {
  /** Name of the option, for messages. */
  readonly option: string;
  readonly pem: Buffer;
}

export type TlsParts = Readonly<Record<'ca' | 'cert' | 'key', Pem>>;

/** Throws INVALID_ARGUMENT, naming the option at fault. */
export function readTls(tls: ClientTls): TlsParts {
  if (!tls) throw fault('tls', 'is required');
  return { ca: readPem(tls, 'ca'), cert: readPem(tls, 'cert'), key: readPem(tls, 'key') };
}

/** Throws INVALID_ARGUMENT, naming the option at fault. */
export function createCredentials({ ca, cert, key }: TlsParts): ChannelCredentials {
  check(ca, 'holds no PEM certificate', () => new X509Certificate(ca.pem));
  check(cert, 'holds no PEM certificate', () => new X509Certificate(cert.pem));
  const context = check(key, 'is not the private key, in unencrypted PEM, of the certificate', () =>
    // TLS 1.3 as the server: 1.2 would send the client's certificate in the clear.
    createSecureContext({ ca: ca.pem, cert: cert.pem, key: key.pem, minVersion: 'TLSv1.3' }),
  );
  // Explicit, so that NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment cannot switch verification off.
  return ChannelCredentials.createFromSecureContext(context, { rejectUnauthorized: true });
}

function readPem(tls: ClientTls, part: 'ca' | 'cert' | 'key'): Pem {
  const isFiles = 'caFile' in tls;
  const option = isFiles ? `tls.${part}File` : `tls.${part}`;
  const given = isFiles ? tls[`${part}File`] : tls[part];
  // Node would trust the public authorities for an empty ca, and send no certificate for an empty cert.
  if (!given?.length) throw fault(option, 'is required');
  const pem = isFiles ? readFile(String(given), option) : Buffer.from(given);
  return { option, pem };
}

function readFile(path: string, option: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : 'unreadable';
    throw fault(option, `cannot be read: ${path} (${code})`);
  }
}

function check<T>({ option }: Pem, what: string, make: () => T): T {
  try {
    return make();
  } catch {
    throw fault(option, what);
  }
}

function fault(option: string, what: string): IntrospectionError {
  return new IntrospectionError('INVALID_ARGUMENT', `${option} ${what}`);
}
