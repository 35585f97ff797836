// Certificates as a mesh has them, and as it must never have them. ECDSA P-256, all in memory.
/// <reference path="../../src/cli/webcrypto-globals.d.ts" />
import 'reflect-metadata';
import { KeyObject, randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

export interface TestIdentity {
  readonly certPem: string;
  readonly keyPem: string;
}

export interface LeafRequest {
  readonly uris?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly ips?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** "ca" = basicConstraints CA:true on a certificate that is shown as a leaf. */
  readonly form?: 'leaf' | 'ca';
}

export interface TestCa extends TestIdentity {
  issue(request: LeafRequest): Promise<TestIdentity>;
  crl(revoked: readonly TestIdentity[], nextUpdate?: Date): Promise<string>;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const HOUR_MS = 3_600_000;

export async function createTestCa(commonName: string): Promise<TestCa> {
  const keys = await createKeys();
  const name = `CN=${commonName}`;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...base({}),
    name,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  return {
    ...toIdentity(certificate, keys),
    issue: async (request) => {
      const leafKeys = await createKeys();
      const leaf = await x509.X509CertificateGenerator.create({
        ...base(request),
        subject: 'CN=leaf',
        issuer: name,
        publicKey: leafKeys.publicKey,
        signingKey: keys.privateKey,
        extensions: toExtensions(request),
      });
      return toIdentity(leaf, leafKeys);
    },
    crl: async (revoked, nextUpdate = new Date(Date.now() + HOUR_MS)) => {
      const crl = await x509.X509CrlGenerator.create({
        issuer: name,
        thisUpdate: new Date(Date.now() - 2 * HOUR_MS),
        nextUpdate,
        entries: revoked.map(({ certPem }) => ({ serialNumber: new x509.X509Certificate(certPem).serialNumber })),
        signingAlgorithm: ALGORITHM,
        signingKey: keys.privateKey,
      });
      // node:tls knows a CRL by this label alone.
      return crl.toString('pem').replaceAll(/(BEGIN|END) CRL/g, '$1 X509 CRL');
    },
  };
}

export async function createSelfSigned(request: LeafRequest): Promise<TestIdentity> {
  const keys = await createKeys();
  const extensions = toExtensions(request);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...base(request),
    name: 'CN=self',
    keys,
    extensions,
  });
  return toIdentity(certificate, keys);
}

function createKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

function base({ notBefore, notAfter }: LeafRequest) {
  return {
    serialNumber: `40${randomBytes(15).toString('hex')}`,
    signingAlgorithm: ALGORITHM,
    notBefore: notBefore ?? new Date(Date.now() - HOUR_MS),
    notAfter: notAfter ?? new Date(Date.now() + HOUR_MS),
  };
}

function toExtensions({ uris = [], dnsNames = [], ips = [], form = 'leaf' }: LeafRequest): x509.Extension[] {
  const names: x509.JsonGeneralNames = [
    ...uris.map((value) => ({ type: 'url' as const, value })),
    ...dnsNames.map((value) => ({ type: 'dns' as const, value })),
    ...ips.map((value) => ({ type: 'ip' as const, value })),
  ];
  return [
    new x509.BasicConstraintsExtension(form === 'ca', undefined, true),
    ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
  ];
}

function toIdentity(certificate: x509.X509Certificate, { privateKey }: webcrypto.CryptoKeyPair): TestIdentity {
  const keyPem = KeyObject.from(privateKey).export({ type: 'pkcs8', format: 'pem' });
  return { certPem: certificate.toString('pem'), keyPem: keyPem.toString() };
}
