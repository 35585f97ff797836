// Who a client certificate names: exactly one URI SAN, or none and exact DNS SANs. Never the CN.
import { X509Certificate } from 'node:crypto';
import { IntrospectdError } from '../core/errors.js';

// A scheme and "://", so that no URI can be taken for a "dns:" identity.
const URI = /^[a-z][a-z0-9+.-]*:\/\/[\x21-\x7e]+$/;
const DNS_NAME = /^(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*$/;

/** The identities to look up in the policy: ["spiffe://..."] or ["dns:name", ...]. Throws CALLER_UNIDENTIFIED. */
export function parsePeerIdentities(certificateDer: Uint8Array): readonly string[] {
  const certificate = parseCertificate(certificateDer);
  if (certificate.ca) throw unidentified('a CA certificate names no caller');
  const names = splitAltNames(certificate.subjectAltName ?? '');
  const uris = findNames(names, 'URI:');
  if (uris.length > 1) throw unidentified('the client certificate has more than one URI SAN');
  if (uris.length === 1) return uris.every((uri) => URI.test(uri)) ? uris : refuseForm();
  const hosts = findNames(names, 'DNS:');
  if (hosts.length === 0) throw unidentified('the client certificate has neither a URI SAN nor a DNS SAN');
  return hosts.every((host) => DNS_NAME.test(host)) ? hosts.map((host) => `dns:${host.toLowerCase()}`) : refuseForm();
}

export function unidentified(message: string): IntrospectdError {
  return new IntrospectdError('CALLER_UNIDENTIFIED', message);
}

function parseCertificate(der: Uint8Array): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch {
    throw unidentified('the client certificate cannot be read');
  }
}

/**
 * Node joins SANs with ", " and quotes every value in which a separator could hide (CVE-2021-44532), so once quotes are
 * refused the text can be split.
 */
function splitAltNames(text: string): readonly string[] {
  if (text.includes('"')) throw unidentified('the client certificate has a SAN with unusual characters');
  return text === '' ? [] : text.split(', ');
}

function findNames(names: readonly string[], prefix: string): readonly string[] {
  return names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
}

function refuseForm(): never {
  throw unidentified('the client certificate has a SAN that is no exact name');
}
