// The one thing we must know of a certificate revocation list and node:tls does not say: when it is out of date.
import { createRequire } from 'node:module';

// @peculiar/x509 takes 0.2 s to load, and most daemons have no revocation list: it is loaded with the first one.
const require = createRequire(import.meta.url);

/** Of one PEM block; undefined = it names no next update. */
export function readCrlNextUpdate(pem: string): Date | 'unreadable' | undefined {
  require('reflect-metadata');
  const { X509Crl } = require('@peculiar/x509') as typeof import('@peculiar/x509');
  try {
    return new X509Crl(Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64')).nextUpdate;
  } catch {
    return 'unreadable';
  }
}
