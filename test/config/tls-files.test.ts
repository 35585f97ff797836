// The TLS files of the server: every fault of every file at once, by setting and path.
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createDevCa, issueCrl, issueLeaf, validForDays } from '../../src/cli/dev-certificates.js';
import { FaultsError } from '../../src/config/faults.js';
import { readTlsFiles } from '../../src/config/tls-files.js';

const folder = mkdtempSync(join(tmpdir(), 'introspectd-tls-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);
const GOOD = {
  certFile: at('server.crt'),
  keyFile: at('server.key'),
  clientCaFile: at('ca.crt'),
  crlFile: at('ca.crl'),
};

before(async () => {
  const now = Date.now();
  const validity = validForDays(1, now);
  const past = { notBefore: new Date(now - 2000), notAfter: new Date(now - 1000) };
  const ca = await createDevCa('test', validity);
  const server = await issueLeaf(ca, { name: 'server', use: 'server', dnsNames: ['localhost'], validity });
  const expired = await issueLeaf(ca, { name: 'server', use: 'server', dnsNames: ['localhost'], validity: past });
  const files = {
    'ca.crt': ca.certPem,
    'ca.key': ca.keyPem,
    'server.crt': server.certPem,
    'server.key': server.keyPem,
    'expired.crt': expired.certPem,
    'expired.key': expired.keyPem,
    'ca.crl': await issueCrl(ca, [server.certPem], validity),
    'old.crl': await issueCrl(ca, [], past),
    'empty.pem': '',
    'text.pem': 'hello canary',
    'broken.pem': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text, { mode: 0o600 });
});

test('good files are read', async () => {
  const { material, warnings } = await readTlsFiles(GOOD, Date.now());
  assert.match(material.cert.toString(), /BEGIN CERTIFICATE/);
  assert.match(material.crl?.toString() ?? '', /BEGIN X509 CRL/);
  assert.deepEqual(warnings, []);
  assert.equal((await readTlsFiles({ ...GOOD, crlFile: undefined }, Date.now())).material.crl, undefined);
});

const BAD: readonly (readonly [string, Partial<typeof GOOD>, readonly string[]])[] = [
  ['missing', { certFile: at('none.crt') }, ['tls.cert_file']],
  ['a folder', { keyFile: folder }, ['tls.key_file']],
  ['empty', { clientCaFile: at('empty.pem') }, ['tls.client_ca_file']],
  ['text', { certFile: at('text.pem') }, ['tls.cert_file']],
  ['a broken certificate', { clientCaFile: at('broken.pem') }, ['tls.client_ca_file']],
  ['a certificate as key', { keyFile: at('server.crt') }, ['tls.key_file']],
  ['the key of another', { keyFile: at('ca.key') }, ['tls.key_file']],
  ['expired', { certFile: at('expired.crt'), keyFile: at('expired.key') }, ['tls.cert_file']],
  ['a leaf as CA', { clientCaFile: at('server.crt') }, ['tls.client_ca_file']],
  ['a certificate as CRL', { crlFile: at('ca.crt') }, ['tls.crl_file']],
  ['a CRL out of date', { crlFile: at('old.crl') }, ['tls.crl_file']],
  [
    'all of them',
    { certFile: at('none'), keyFile: folder, clientCaFile: at('text.pem'), crlFile: at('empty.pem') },
    ['tls.cert_file', 'tls.client_ca_file', 'tls.crl_file', 'tls.key_file'],
  ],
];

test('bad files are faults of their settings', async (t) => {
  for (const [name, paths, settings] of BAD) {
    await t.test(name, async () => {
      await assert.rejects(readTlsFiles({ ...GOOD, ...paths }, Date.now()), (error: unknown) => {
        assert.ok(error instanceof FaultsError);
        assert.deepEqual(error.faults.map(({ path }) => path).sort(), settings);
        for (const { origin } of error.faults) assert.ok(Object.values(paths).includes(origin ?? ''), error.message);
        assert.doesNotMatch(error.message, /canary/);
        return true;
      });
    });
  }
});

test('a key that every user may read is read, with a warning', async () => {
  chmodSync(GOOD.keyFile, 0o644);
  const { warnings } = await readTlsFiles(GOOD, Date.now());
  chmodSync(GOOD.keyFile, 0o600);
  assert.match(warnings.join(), /chmod 600/);
});
