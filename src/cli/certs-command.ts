// introspectd certs: a development CA, leaf certificates and a revocation list. A mesh brings its own.
import { join } from 'node:path';
import type { Command } from 'commander';
import { isDnsName, isSpiffeId } from '../config/identity.js';
import { readCa, readPem, toFiles, writeNewFiles } from './certificate-files.js';
import { CliError } from './cli-error.js';
import type { LeafRequest } from './dev-certificates.js';
import { collectOption, parseCountOption } from './parse-option.js';
import { printData, printNote } from './terminal.js';

const CA_DAYS = 365;
const LEAF_DAYS = 30;
const CA_NAME = 'introspectd development CA';
/** What a server on this machine is called; part of every server certificate. */
const LOCAL = { dnsNames: ['localhost'], ips: ['127.0.0.1', '::1'] } as const;
const DEV_CALLERS = ['issuer', 'orders'] as const;

interface CaOptions {
  readonly out: string;
  readonly days: number;
}

interface LeafOptions extends CaOptions {
  readonly ca: string;
  readonly name: string;
  readonly spiffe?: string;
  readonly dns?: readonly string[];
  readonly server?: true;
}

interface CrlOptions extends CaOptions {
  readonly ca: string;
  readonly revoke?: readonly string[];
}

export function setUpCerts(certs: Command): void {
  certs
    .command('dev')
    .description('Make a CA, a server certificate, and one each for the callers "issuer" and "orders".')
    .requiredOption('--out <folder>', 'folder to write to')
    .option('--days <count>', 'days that the certificates are valid', parseCountOption, LEAF_DAYS)
    .addHelpText('after', '\nPrints the tls section of a configuration file; its paths are those given with --out.')
    .action(makeDev);
  certs
    .command('ca')
    .description('Make a CA: ca.crt and ca.key.')
    .requiredOption('--out <folder>', 'folder to write to')
    .option('--days <count>', 'days that the CA is valid', parseCountOption, CA_DAYS)
    .action(makeCa);
  certs
    .command('leaf')
    .description('Make a certificate of a client or, with --server, of a daemon: NAME.crt and NAME.key.')
    .requiredOption('--ca <folder>', 'folder with ca.crt and ca.key')
    .requiredOption('--name <name>', 'name of the files, and common name')
    .option('--spiffe <id>', 'SPIFFE id, such as spiffe://mesh.example/ns/shop/sa/orders')
    .option('--dns <name>', 'DNS name; may be repeated', collectOption)
    .option('--server', 'for a daemon; localhost, 127.0.0.1 and ::1 are added to its names')
    .requiredOption('--out <folder>', 'folder to write to')
    .option('--days <count>', 'days that the certificate is valid', parseCountOption, LEAF_DAYS)
    .action(makeLeaf);
  certs
    .command('crl')
    .description('Make a revocation list (PEM, "X509 CRL") for tls.crl_file; it names all that are revoked, each time.')
    .requiredOption('--ca <folder>', 'folder with ca.crt and ca.key')
    .option('--revoke <certs...>', 'certificates to revoke, PEM; none is an empty list')
    .requiredOption('--out <file>', 'file to write')
    .option(
      '--days <count>',
      'days until a new list is due: afterwards the daemon refuses everybody',
      parseCountOption,
      LEAF_DAYS,
    )
    .action(makeCrl);
}

/** Loaded when needed: it takes longer than everything else together. */
function x509() {
  return import('./dev-certificates.js');
}

async function makeDev({ out, days }: CaOptions): Promise<void> {
  const { createDevCa, issueLeaf, validForDays } = await x509();
  const validity = validForDays(days, Date.now());
  const ca = await createDevCa(CA_NAME, validity);
  const server = await issueLeaf(ca, { name: 'server', use: 'server', ...LOCAL, validity });
  const callers = await Promise.all(
    DEV_CALLERS.map((name) => issueLeaf(ca, { name, use: 'client', uris: [`spiffe://dev.example/${name}`], validity })),
  );
  await writeNewFiles([
    ...toFiles(out, 'ca', ca),
    ...toFiles(out, 'server', server),
    ...callers.flatMap((caller, index) => toFiles(out, DEV_CALLERS[index] ?? '', caller)),
  ]);
  const names = DEV_CALLERS.map((name) => `spiffe://dev.example/${name}`).join(', ');
  printNote(`Made a CA, a server certificate for localhost, and client certificates for ${names}: ${days} days.`);
  const path = (file: string) => JSON.stringify(join(out, file));
  await printData(
    `tls:\n  cert_file: ${path('server.crt')}\n  key_file: ${path('server.key')}\n  client_ca_file: ${path('ca.crt')}\n`,
  );
}

async function makeCa({ out, days }: CaOptions): Promise<void> {
  const { createDevCa, validForDays } = await x509();
  const ca = await createDevCa(CA_NAME, validForDays(days, Date.now()));
  await writeNewFiles(toFiles(out, 'ca', ca));
  printNote(`Made ${join(out, 'ca.crt')}, valid for ${days} days, and its key.`);
}

async function makeLeaf(options: LeafOptions): Promise<void> {
  const { issueLeaf, validForDays } = await x509();
  const request: LeafRequest = { ...toNames(options), validity: validForDays(options.days, Date.now()) };
  const leaf = await issueLeaf(await readCa(options.ca), request);
  await writeNewFiles(toFiles(options.out, options.name, leaf));
  const names = [...(request.uris ?? []), ...(request.dnsNames ?? []), ...(request.ips ?? [])].join(', ');
  printNote(
    `Made ${join(options.out, `${options.name}.crt`)} for ${names}, valid for ${options.days} days, and its key.`,
  );
}

function toNames({ name, spiffe, dns = [], server }: LeafOptions): Omit<LeafRequest, 'validity'> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name) || name === 'ca') {
    throw new CliError(2, '--name becomes the name of a file: letters, digits and . _ - , and not "ca"');
  }
  if (spiffe !== undefined && !isSpiffeId(spiffe)) throw new CliError(2, '--spiffe must be spiffe://trust-domain/path');
  if (!dns.every(isDnsName)) throw new CliError(2, '--dns must be an exact name in lower case, without wildcard');
  const uris = spiffe === undefined ? [] : [spiffe];
  if (server) {
    return { name, use: 'server', uris, dnsNames: [...LOCAL.dnsNames, ...dns], ips: LOCAL.ips };
  }
  if ((uris.length === 0) === (dns.length === 0)) {
    throw new CliError(2, 'a client is named by either --spiffe or --dns; the policy knows it by that');
  }
  return { name, use: 'client', uris, dnsNames: dns };
}

async function makeCrl({ ca: folder, revoke = [], out, days }: CrlOptions): Promise<void> {
  const { isSignedBy, issueCrl, validForDays } = await x509();
  const ca = await readCa(folder);
  const certificates: string[] = [];
  for (const path of revoke) {
    const pem = await readPem(path);
    const isOurs = await isSignedBy(ca, pem).catch(() => false);
    if (!isOurs) throw new CliError(2, `${path} is not a certificate of the CA in ${folder}; nothing was written`);
    certificates.push(pem);
  }
  const text = await issueCrl(ca, certificates, validForDays(days, Date.now()));
  await writeNewFiles([{ path: out, text, mode: 0o644 }]);
  printNote(`Made ${out}: ${certificates.length} revoked; a new list is due in ${days} days.`);
}
