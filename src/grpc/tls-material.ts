// What the server's side of mutual TLS is made of, and everything that can be wrong with it before a client connects.
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { readCrlNextUpdate } from './crl.js';

/** PEM files as read. */
export interface TlsMaterial {
  /** The server's certificate, leaf first. */
  readonly cert: Buffer;
  readonly key: Buffer;
  /** All of them are one trust domain: any may sign any client. */
  readonly clientCa: Buffer;
  readonly crl?: Buffer | undefined;
}

export type TlsRole = keyof TlsMaterial;

export interface TlsFault {
  readonly role: TlsRole;
  /** Goes on "the file ...". */
  readonly problem: string;
}

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[^-]+-----END \1-----/g;

/** All faults at once; empty = it can be served. */
export function checkTlsMaterial(material: TlsMaterial, nowMs: number): readonly TlsFault[] {
  const faults = [
    ...checkCertAndKey(material.cert, material.key, nowMs),
    ...checkClientCa(material.clientCa, nowMs),
    ...(material.crl === undefined ? [] : checkCrl(material.crl, nowMs)),
  ];
  return faults.length > 0 ? faults : checkAsAWhole(material);
}

/** node:tls reads one revocation list per buffer, and any number of certificates. */
export function splitPem(pem: Buffer, label: string): readonly string[] {
  return [...pem.toString('latin1').matchAll(PEM_BLOCK)].filter((block) => block[1] === label).map((block) => block[0]);
}

function checkCertAndKey(cert: Buffer, key: Buffer, nowMs: number): readonly TlsFault[] {
  const chain = parseCertificates(cert);
  const privateKey = parseKey(key);
  const [leaf] = chain ?? [];
  const faults: TlsFault[] = [];
  if (leaf === undefined) faults.push({ role: 'cert', problem: 'is not a PEM certificate' });
  if (privateKey === undefined) faults.push({ role: 'key', problem: 'is not an unencrypted PEM private key' });
  if (leaf === undefined) return faults;
  if (isExpired(leaf, nowMs)) faults.push({ role: 'cert', problem: 'has expired' });
  if (Date.parse(leaf.validFrom) > nowMs) faults.push({ role: 'cert', problem: 'is not valid yet' });
  if (privateKey && !leaf.checkPrivateKey(privateKey)) {
    faults.push({ role: 'key', problem: 'does not belong to the certificate' });
  }
  return faults;
}

function checkClientCa(clientCa: Buffer, nowMs: number): readonly TlsFault[] {
  const certificates = parseCertificates(clientCa);
  const problem =
    certificates === undefined
      ? 'is not a PEM bundle of CA certificates'
      : certificates.some((certificate) => !certificate.ca)
        ? 'has a certificate that is not a CA'
        : certificates.every((certificate) => isExpired(certificate, nowMs))
          ? 'has only expired certificates'
          : undefined;
  return problem === undefined ? [] : [{ role: 'clientCa', problem }];
}

// With a revocation list that is out of date OpenSSL refuses every client, and says so to nobody.
function checkCrl(crl: Buffer, nowMs: number): readonly TlsFault[] {
  const lists = splitPem(crl, 'X509 CRL').map(readCrlNextUpdate);
  const problem =
    lists.length === 0 || isCutOff(crl) || lists.includes('unreadable')
      ? 'is not a PEM certificate revocation list (label "X509 CRL")'
      : lists.some((nextUpdate) => nextUpdate instanceof Date && nextUpdate.getTime() <= nowMs)
        ? 'has a revocation list that is past its next update'
        : undefined;
  return problem === undefined ? [] : [{ role: 'crl', problem }];
}

/** What only OpenSSL can say, such as a key that is too short. */
function checkAsAWhole({ cert, key, clientCa, crl }: TlsMaterial): readonly TlsFault[] {
  const faults: TlsFault[] = [];
  const attempt = (role: TlsRole, problem: string, options: Parameters<typeof createSecureContext>[0]) => {
    try {
      createSecureContext(options);
    } catch {
      faults.push({ role, problem });
    }
  };
  attempt('cert', 'is refused by OpenSSL', { cert, key });
  attempt('clientCa', 'is refused by OpenSSL', { ca: clientCa });
  if (crl !== undefined) attempt('crl', 'is refused by OpenSSL', { crl: [...splitPem(crl, 'X509 CRL')] });
  return faults;
}

/** Undefined when there is none, or when one of them cannot be read. */
function parseCertificates(pem: Buffer): readonly X509Certificate[] | undefined {
  if (isCutOff(pem)) return undefined;
  try {
    const certificates = splitPem(pem, 'CERTIFICATE').map((block) => new X509Certificate(block));
    return certificates.length > 0 ? certificates : undefined;
  } catch {
    return undefined;
  }
}

/** A block that begins and does not end: a file that is still being written has fewer CAs, or lists, than it will. */
function isCutOff(pem: Buffer): boolean {
  const text = pem.toString('latin1');
  return text.split('-----BEGIN ').length - 1 !== [...text.matchAll(PEM_BLOCK)].length;
}

function parseKey(pem: Buffer): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

function isExpired(certificate: X509Certificate, nowMs: number): boolean {
  return Date.parse(certificate.validTo) <= nowMs;
}
