// Every fault of the server's TLS files is found before a client meets it, and named by its file.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { before, describe, it } from 'node:test';
import { readCrlNextUpdate } from '../../src/grpc/crl.js';
import { checkTlsMaterial, type TlsFault, type TlsMaterial } from '../../src/grpc/tls-material.js';
import { createTestCa, type TestCa, type TestIdentity } from '../support/test-ca.js';

const NOW = Date.now();
const ago = new Date(NOW - 1000);
const later = new Date(NOW + 600_000);

let ca: TestCa;
let server: TestIdentity;
let good: TlsMaterial;
before(async () => {
  ca = await createTestCa('a');
  server = await ca.issue({ dnsNames: ['localhost'] });
  good = { cert: pem(server.certPem), key: pem(server.keyPem), clientCa: pem(ca.certPem) };
});

const pem = (...texts: readonly string[]) => Buffer.from(texts.join('\n'));
const GARBAGE = pem('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----');

type Case = readonly [name: string, broken: () => Promise<Partial<TlsMaterial>>, faults: readonly TlsFault[]];

const CASES: readonly Case[] = [
  ['all is well', async () => ({}), []],
  [
    'a chain, two CAs, two lists',
    async () => {
      const other = await createTestCa('b');
      return {
        cert: pem(server.certPem, ca.certPem),
        clientCa: pem(ca.certPem, other.certPem),
        crl: pem(await ca.crl([]), await other.crl([])),
      };
    },
    [],
  ],
  [
    'empty files',
    async () => ({ cert: pem(), key: pem(), clientCa: pem(), crl: pem() }),
    [
      { role: 'cert', problem: 'is not a PEM certificate' },
      { role: 'key', problem: 'is not an unencrypted PEM private key' },
      { role: 'clientCa', problem: 'is not a PEM bundle of CA certificates' },
      { role: 'crl', problem: 'is not a PEM certificate revocation list (label "X509 CRL")' },
    ],
  ],
  [
    'garbage in PEM',
    async () => ({
      cert: GARBAGE,
      clientCa: GARBAGE,
      crl: pem('-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----'),
    }),
    [
      { role: 'cert', problem: 'is not a PEM certificate' },
      { role: 'clientCa', problem: 'is not a PEM bundle of CA certificates' },
      { role: 'crl', problem: 'is not a PEM certificate revocation list (label "X509 CRL")' },
    ],
  ],
  [
    'files that are still being written',
    async () => {
      const other = await createTestCa('b');
      return {
        cert: pem(server.certPem, ca.certPem.slice(0, 200)),
        clientCa: pem(ca.certPem, other.certPem.slice(0, -5)),
        crl: pem(await ca.crl([]), (await other.crl([])).slice(0, 100)),
      };
    },
    [
      { role: 'cert', problem: 'is not a PEM certificate' },
      { role: 'clientCa', problem: 'is not a PEM bundle of CA certificates' },
      { role: 'crl', problem: 'is not a PEM certificate revocation list (label "X509 CRL")' },
    ],
  ],
  [
    'key and certificate in each other’s place',
    async () => ({ cert: good.key, key: good.cert }),
    [
      { role: 'cert', problem: 'is not a PEM certificate' },
      { role: 'key', problem: 'is not an unencrypted PEM private key' },
    ],
  ],
  [
    'the key of another certificate',
    async () => ({ key: pem((await ca.issue({})).keyPem) }),
    [{ role: 'key', problem: 'does not belong to the certificate' }],
  ],
  [
    'an encrypted key',
    async () => ({ key: pem(createEncryptedKey()) }),
    [{ role: 'key', problem: 'is not an unencrypted PEM private key' }],
  ],
  ['an expired certificate', () => issue({ notAfter: ago }), [{ role: 'cert', problem: 'has expired' }]],
  ['a certificate of tomorrow', () => issue({ notBefore: later }), [{ role: 'cert', problem: 'is not valid yet' }]],
  [
    'a leaf among the CAs',
    async () => ({ clientCa: pem(ca.certPem, server.certPem) }),
    [{ role: 'clientCa', problem: 'has a certificate that is not a CA' }],
  ],
  [
    'a list that is out of date',
    async () => ({ crl: pem(await ca.crl([], later), await ca.crl([], ago)) }),
    [{ role: 'crl', problem: 'has a revocation list that is past its next update' }],
  ],
  [
    'a list under another label',
    async () => ({ crl: pem((await ca.crl([])).replaceAll('X509 CRL', 'CRL')) }),
    [{ role: 'crl', problem: 'is not a PEM certificate revocation list (label "X509 CRL")' }],
  ],
];

async function issue(request: Parameters<TestCa['issue']>[0]): Promise<Partial<TlsMaterial>> {
  const { certPem, keyPem } = await ca.issue(request);
  return { cert: pem(certPem), key: pem(keyPem) };
}

function createEncryptedKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString();
}

describe('TLS files', () => {
  for (const [name, broken, faults] of CASES) {
    it(name, async () => {
      assert.deepEqual(checkTlsMaterial({ ...good, ...(await broken()) }, NOW), faults);
    });
  }

  it('CAs of which all have expired', () => {
    const inTwoHours = NOW + 2 * 3_600_000;
    const faults = checkTlsMaterial(good, inTwoHours);
    assert.deepEqual(faults, [
      { role: 'cert', problem: 'has expired' },
      { role: 'clientCa', problem: 'has only expired certificates' },
    ]);
  });

  it('reads when a list is out of date, to the second', async () => {
    for (const at of ['2026-03-04T05:06:07Z', '2049-12-31T23:59:59Z', '2050-01-01T00:00:00Z', '1999-01-01T00:00:00Z']) {
      assert.deepEqual(readCrlNextUpdate(await ca.crl([server], new Date(at))), new Date(at));
    }
  });

  it('never breaks on a list that was cut or bent', async () => {
    const body = (await ca.crl([server])).replace(/-----[^-]+-----/g, '');
    const der = Buffer.from(body, 'base64');
    const toPem = (bytes: Buffer) => `-----BEGIN X509 CRL-----\n${bytes.toString('base64')}\n-----END X509 CRL-----`;
    for (let at = 0; at < der.length; at++) {
      const bent = Buffer.from(der);
      bent[at] = (bent[at] ?? 0) ^ 0xff;
      for (const bytes of [der.subarray(0, at), bent]) {
        const crl = pem(toPem(bytes));
        assert.doesNotThrow(() => checkTlsMaterial({ ...good, crl }, NOW));
      }
    }
  });
});
