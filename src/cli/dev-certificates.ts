// A development CA in memory: CA, leaf and CRL as PEM. For development and tests; a mesh brings its own certificates.
/// <reference path="./webcrypto-globals.d.ts" />
import 'reflect-metadata';
import { createPrivateKey, randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
// Clocks of the machines that check a new certificate may be behind.
const BACKDATE_MS = 60_000;
const DAY_MS = 86_400_000;

export interface KeyAndCertificate {
  readonly certPem: string;
  /** PKCS #8, unencrypted. */
  readonly keyPem: string;
}

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface LeafRequest {
  /** The common name; for people alone, introspectd never reads it. */
  readonly name: string;
  readonly use: 'client' | 'server';
  /** URI SANs, such as a SPIFFE id. */
  readonly uris?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly ips?: readonly string[];
  readonly validity: Validity;
}

/** From a minute ago. */
export function validForDays(days: number, nowMs: number): Validity {
  return { notBefore: new Date(nowMs - BACKDATE_MS), notAfter: new Date(nowMs + days * DAY_MS) };
}

/** A self-signed root that signs leaves and CRLs, and no further CA. */
export async function createDevCa(name: string, validity: Validity): Promise<KeyAndCertificate> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...certificateBase(validity),
    name: [{ CN: [name] }],
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certPem: toPem(certificate.toString('pem')), keyPem: await toKeyPem(keys.privateKey) };
}

export async function issueLeaf(ca: KeyAndCertificate, request: LeafRequest): Promise<KeyAndCertificate> {
  const issuer = new x509.X509Certificate(ca.certPem);
  const keys = await newKeys();
  const names = [
    ...(request.uris ?? []).map((value) => ({ type: 'url' as const, value })),
    ...(request.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(request.ips ?? []).map((value) => ({ type: 'ip' as const, value })),
  ];
  const usage = request.use === 'server' ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth;
  const certificate = await x509.X509CertificateGenerator.create({
    ...certificateBase(request.validity),
    subject: [{ CN: [request.name] }],
    issuer: issuer.subjectName,
    publicKey: keys.publicKey,
    signingKey: await toSigningKey(ca),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([usage]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  });
  return { certPem: toPem(certificate.toString('pem')), keyPem: await toKeyPem(keys.privateKey) };
}

/** A CRL of the CA that names these certificates (PEM) and no others; none is allowed. */
export async function issueCrl(ca: KeyAndCertificate, revoked: readonly string[], validity: Validity): Promise<string> {
  const issuer = new x509.X509Certificate(ca.certPem);
  const crl = await x509.X509CrlGenerator.create({
    issuer: issuer.subjectName,
    thisUpdate: validity.notBefore,
    nextUpdate: validity.notAfter,
    entries: revoked.map((pem) => ({
      serialNumber: new x509.X509Certificate(pem).serialNumber,
      revocationDate: validity.notBefore,
    })),
    extensions: [await x509.AuthorityKeyIdentifierExtension.create(issuer)],
    signingAlgorithm: ALGORITHM,
    signingKey: await toSigningKey(ca),
  });
  // node:tls knows a CRL by this label alone; @peculiar/x509 2.2.0 writes "CRL".
  return toPem(crl.toString('pem').replaceAll(/(BEGIN|END) CRL/g, '$1 X509 CRL'));
}

/** Whether the CA signed it. */
export async function isSignedBy(ca: KeyAndCertificate, certPem: string): Promise<boolean> {
  const publicKey = await new x509.X509Certificate(ca.certPem).publicKey.export();
  return new x509.X509Certificate(certPem).verify({ publicKey, signatureOnly: true });
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

function certificateBase(validity: Validity) {
  return { serialNumber: newSerialNumber(), signingAlgorithm: ALGORITHM, ...validity };
}

/** 16 bytes, the first of them 0x40..0x7f: random, positive, and never with a zero in front (RFC 5280 §4.1.2.2). */
function newSerialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

async function toSigningKey(ca: KeyAndCertificate): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(ca.keyPem).export({ type: 'pkcs8', format: 'der' });
  return webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
}

async function toKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({
    type: 'pkcs8',
    format: 'pem',
  }) as string;
}

function toPem(text: string): string {
  return `${text.trim()}\n`;
}
