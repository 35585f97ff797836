// Server credentials of our own: createSsl of grpc-js knows neither a lowest TLS version nor a revocation list.
import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';
import { checkTlsMaterial, splitPem, type TlsFault, type TlsMaterial } from './tls-material.js';

/** A connection that has not shown its certificate by then is closed. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

class TlsMaterialError extends Error {
  override readonly name = 'TlsMaterialError';
  readonly faults: readonly TlsFault[];

  constructor(faults: readonly TlsFault[]) {
    super(`TLS: ${faults.map(({ role, problem }) => `${role} ${problem}`).join('; ')}`);
    this.faults = faults;
  }
}

export interface ReloadableCredentials extends ServerCredentials {
  /** For connections made from now on. Throws TlsMaterialError and keeps what it had. */
  replace(material: TlsMaterial): void;
}

/** Throws TlsMaterialError. */
export function createServerCredentials(material: TlsMaterial): ReloadableCredentials {
  return new MutualTlsCredentials(material);
}

class MutualTlsCredentials extends ServerCredentials implements ReloadableCredentials {
  constructor(material: TlsMaterial) {
    super(
      { requestCert: true, rejectUnauthorized: true, handshakeTimeout: HANDSHAKE_TIMEOUT_MS },
      toContextOptions(material),
    );
  }

  replace(material: TlsMaterial): void {
    this.updateSecureContextOptions(toContextOptions(material));
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

/** All of them, each time: setSecureContext() forgets what it is not told again, down to TLS 1.2 and no revocation list. */
function toContextOptions(material: TlsMaterial): SecureContextOptions {
  const faults = checkTlsMaterial(material, Date.now());
  if (faults.length > 0) throw new TlsMaterialError(faults);
  const { cert, key, clientCa, crl } = material;
  return {
    cert,
    key,
    ca: clientCa,
    ...(crl === undefined ? {} : { crl: [...splitPem(crl, 'X509 CRL')] }),
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    // A resumed session is not verified again: every connection shows its certificate.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}
