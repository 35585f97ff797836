// The TLS files of the server, read and checked before anything is served: each fault with its setting and its file.
import { checkTlsMaterial, type TlsMaterial, type TlsRole } from '../grpc/tls-material.js';
import type { TlsFilePaths } from './config.js';
import { type Fault, FaultsError } from './faults.js';
import { type FileRead, isOpenToOthers, readBoundedFile } from './read-bounded-file.js';

const MAX_BYTES = 16 * 1024 * 1024;

export interface TlsFiles {
  readonly material: TlsMaterial;
  /** Not wrong, but worth a line in the log. */
  readonly warnings: readonly string[];
}

/** Throws FaultsError with all that is wrong. */
export async function readTlsFiles(paths: TlsFilePaths, nowMs: number): Promise<TlsFiles> {
  const read = (path: string) => readBoundedFile(path, MAX_BYTES);
  const files: Record<TlsRole, FileRead | undefined> = {
    cert: await read(paths.certFile),
    key: await read(paths.keyFile),
    clientCa: await read(paths.clientCaFile),
    crl: paths.crlFile === undefined ? undefined : await read(paths.crlFile),
  };
  // A file that could not be read stands in as an empty one, so that the others are checked all the same.
  const bytesOf = (role: TlsRole) => files[role]?.bytes ?? Buffer.alloc(0);
  const crl = files.crl === undefined ? undefined : bytesOf('crl');
  const material = { cert: bytesOf('cert'), key: bytesOf('key'), clientCa: bytesOf('clientCa'), crl };
  const faults = [
    ...ROLES.flatMap((role) => ({ role, problem: files[role]?.problem })),
    ...checkTlsMaterial(material, nowMs).filter(({ role }) => files[role]?.problem === undefined),
  ].flatMap(({ role, problem }): Fault[] =>
    problem === undefined ? [] : [{ path: SETTINGS[role], origin: toPath(paths, role), problem }],
  );
  if (faults.length > 0) throw new FaultsError('the TLS files', faults);
  const mode = files.key?.mode ?? 0;
  return { material, warnings: isOpenToOthers(mode) ? [`${paths.keyFile} is open to every user; chmod 600 it`] : [] };
}

const SETTINGS: Readonly<Record<TlsRole, string>> = {
  cert: 'tls.cert_file',
  key: 'tls.key_file',
  clientCa: 'tls.client_ca_file',
  crl: 'tls.crl_file',
};
const ROLES = Object.keys(SETTINGS) as readonly TlsRole[];

function toPath(paths: TlsFilePaths, role: TlsRole): string | undefined {
  return { cert: paths.certFile, key: paths.keyFile, clientCa: paths.clientCaFile, crl: paths.crlFile }[role];
}
