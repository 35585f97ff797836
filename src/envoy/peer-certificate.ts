import { createHash } from 'node:crypto';

const CERTIFICATE = /^-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*$/;

/**
 * x5t#S256 (RFC 8705 §3.1) of a certificate as Envoy sends it, PEM in URL encoding: base64url(sha256(DER)). Undefined
 * where it is anything but one certificate.
 */
export function toThumbprint(encodedPem: string): string | undefined {
  const base64 = CERTIFICATE.exec(decode(encodedPem))?.[1];
  if (base64 === undefined) return undefined;
  const der = Buffer.from(base64, 'base64');
  return der.length === 0 ? undefined : createHash('sha256').update(der).digest('base64url');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
