// Certificates and what each gets: the table of callers.test.ts.
import { createSecureContext } from 'node:tls';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { TRUST_DOMAIN, toChannelCredentials } from '../support/start-server.js';
import { createSelfSigned, createTestCa, type TestCa, type TestIdentity } from '../support/test-ca.js';

export const ORDERS = `${TRUST_DOMAIN}/orders`;

export interface CallerCase {
  readonly name: string;
  readonly code: string;
  readonly reason?: string;
  readonly credentials: (ca: TestCa) => Promise<ChannelCredentials>;
}

const leaf = (request: Parameters<TestCa['issue']>[0]) => async (ca: TestCa) =>
  toChannelCredentials(ca, await ca.issue(request));

// Connections that the handshake refuses reach the client as UNAVAILABLE: the server has no stream to say more on.
export const CALLER_CASES: readonly CallerCase[] = [
  { name: 'a SPIFFE id of the policy', code: 'OK', credentials: leaf({ uris: [ORDERS] }) },
  {
    name: 'a SPIFFE id beside DNS SANs, which do not count',
    code: 'OK',
    credentials: leaf({ uris: [ORDERS], dnsNames: ['elsewhere.test', '*.test'] }),
  },
  { name: 'a DNS SAN of the policy, in any case', code: 'OK', credentials: leaf({ dnsNames: ['Reports.Mesh.test'] }) },
  { name: 'no certificate', code: 'UNAVAILABLE', credentials: async (ca) => credentials.createSsl(pem(ca)) },
  {
    name: 'TLS 1.2',
    code: 'UNAVAILABLE',
    credentials: async (ca) => {
      const { certPem, keyPem } = await ca.issue({ uris: [ORDERS] });
      const context = { ca: ca.certPem, cert: certPem, key: keyPem, maxVersion: 'TLSv1.2' as const };
      return credentials.createFromSecureContext(createSecureContext(context));
    },
  },
  {
    name: 'expired',
    code: 'UNAVAILABLE',
    credentials: leaf({ uris: [ORDERS], notAfter: new Date(Date.now() - 1000) }),
  },
  {
    name: 'not valid yet',
    code: 'UNAVAILABLE',
    credentials: leaf({ uris: [ORDERS], notBefore: new Date(Date.now() + 600_000) }),
  },
  {
    name: 'self-signed',
    code: 'UNAVAILABLE',
    credentials: async (ca) => toChannelCredentials(ca, await createSelfSigned({ uris: [ORDERS] })),
  },
  {
    name: 'of another CA of the same name',
    code: 'UNAVAILABLE',
    credentials: async (ca) => {
      const other = await createTestCa('introspectd test CA');
      return toChannelCredentials(ca, await other.issue({ uris: [ORDERS] }));
    },
  },
  { name: 'without SANs', code: 'UNAUTHENTICATED', reason: 'CALLER_UNIDENTIFIED', credentials: leaf({}) },
  {
    name: 'with an IP SAN alone',
    code: 'UNAUTHENTICATED',
    reason: 'CALLER_UNIDENTIFIED',
    credentials: leaf({ ips: ['127.0.0.1'] }),
  },
  {
    name: 'two SPIFFE ids',
    code: 'UNAUTHENTICATED',
    reason: 'CALLER_UNIDENTIFIED',
    credentials: leaf({ uris: [ORDERS, `${TRUST_DOMAIN}/auditor`] }),
  },
  {
    name: 'two SPIFFE ids beside a DNS SAN of the policy',
    code: 'UNAUTHENTICATED',
    reason: 'CALLER_UNIDENTIFIED',
    credentials: leaf({ uris: [ORDERS, `${TRUST_DOMAIN}/auditor`], dnsNames: ['reports.mesh.test'] }),
  },
  {
    name: 'the same SPIFFE id twice',
    code: 'UNAUTHENTICATED',
    reason: 'CALLER_UNIDENTIFIED',
    credentials: leaf({ uris: [ORDERS, ORDERS] }),
  },
  {
    name: 'a SAN in which a second one hides',
    code: 'UNAUTHENTICATED',
    reason: 'CALLER_UNIDENTIFIED',
    credentials: leaf({ uris: [`${TRUST_DOMAIN}/x, URI:${ORDERS}`] }),
  },
  {
    name: 'a DNS SAN that hides a URI SAN',
    code: 'UNAUTHENTICATED',
    reason: 'CALLER_UNIDENTIFIED',
    credentials: leaf({ dnsNames: [`x, URI:${ORDERS}`] }),
  },
  {
    name: 'a SPIFFE id of the policy beside a SAN in which one hides',
    code: 'UNAUTHENTICATED',
    reason: 'CALLER_UNIDENTIFIED',
    credentials: leaf({ uris: [ORDERS], dnsNames: [`x, URI:${ORDERS}`] }),
  },
  {
    name: 'a URI SAN that reads like a DNS identity',
    code: 'UNAUTHENTICATED',
    reason: 'CALLER_UNIDENTIFIED',
    credentials: leaf({ uris: ['dns:reports.mesh.test'] }),
  },
  {
    name: 'a wildcard',
    code: 'UNAUTHENTICATED',
    reason: 'CALLER_UNIDENTIFIED',
    credentials: leaf({ dnsNames: ['*.mesh.test'] }),
  },
  {
    name: 'a wildcard beside a name of the policy',
    code: 'UNAUTHENTICATED',
    reason: 'CALLER_UNIDENTIFIED',
    credentials: leaf({ dnsNames: ['reports.mesh.test', '*.mesh.test'] }),
  },
  {
    name: 'a CA certificate as leaf',
    code: 'UNAUTHENTICATED',
    reason: 'CALLER_UNIDENTIFIED',
    credentials: leaf({ uris: [ORDERS], form: 'ca' }),
  },
  {
    name: 'the CA itself, whose key is for signing alone',
    code: 'UNAVAILABLE',
    credentials: async (ca) => toChannelCredentials(ca, ca),
  },
  {
    name: 'names of two callers',
    code: 'PERMISSION_DENIED',
    reason: 'CALLER_UNKNOWN',
    credentials: leaf({ dnsNames: ['reports.mesh.test', 'billing.mesh.test'] }),
  },
  {
    name: 'a SPIFFE id that the policy does not know',
    code: 'PERMISSION_DENIED',
    reason: 'CALLER_UNKNOWN',
    credentials: leaf({ uris: [`${ORDERS}/x`] }),
  },
  {
    name: 'a SPIFFE id in another case',
    code: 'PERMISSION_DENIED',
    reason: 'CALLER_UNKNOWN',
    credentials: leaf({ uris: [`${TRUST_DOMAIN}/Orders`] }),
  },
  {
    name: 'a caller without the permission',
    code: 'PERMISSION_DENIED',
    reason: 'PERMISSION_MISSING',
    credentials: leaf({ uris: [`${TRUST_DOMAIN}/nobody`] }),
  },
];

export function pem({ certPem }: TestIdentity): Buffer {
  return Buffer.from(certPem);
}
