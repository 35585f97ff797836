// Python packages and stubs for the peer, in a folder that later runs find again.
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PROTO = join(ROOT, 'proto');
const CACHE = join(ROOT, '.cache');
export const PEER = join(ROOT, 'test', 'peer');
const INSTALL_TIMEOUT_MS = 180_000;

/** The version of python3, or undefined where it or its pip is missing. */
export function findPython(): string | undefined {
  const { status, stdout } = run(['-m', 'pip', '--version']);
  // Such as "pip 25.0 from /usr/lib/python3/dist-packages/pip (python 3.13)".
  return status === 0 ? stdout.trim() : undefined;
}

/** Folder with the packages of requirements.txt. Throws what pip said where they cannot be installed. */
export function installPackages(python: string): string {
  const requirements = join(PEER, 'requirements.txt');
  const version = createHash('sha256').update(python).update(readFileSync(requirements)).digest('hex').slice(0, 16);
  const folder = join(CACHE, `python-peer-${version}`);
  if (existsSync(folder)) return folder;
  mkdirSync(CACHE, { recursive: true });
  const unfinished = mkdtempSync(join(CACHE, 'python-peer-unfinished-'));
  try {
    // A folder of its own, as a venv is, but also where python3 comes without venv.
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary=:all:'];
    succeed(run([...pip, '--target', unfinished, '--requirement', requirements]));
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return folder;
}

/** Makes Python stubs of every file in proto/. */
export function generateStubs(packages: string, folder: string): void {
  const sources = readdirSync(PROTO, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.proto'));
  const roots = ['-I', join(PROTO, 'third_party'), '-I', PROTO];
  const outputs = [`--python_out=${folder}`, `--grpc_python_out=${folder}`];
  const files = sources.map((path) => join(PROTO, path));
  succeed(run(['-m', 'grpc_tools.protoc', ...roots, ...outputs, ...files], packages));
}

function run(args: readonly string[], pythonPath?: string): SpawnSyncReturns<string> {
  const env = pythonPath === undefined ? process.env : { ...process.env, PYTHONPATH: pythonPath };
  return spawnSync('python3', args, { env, encoding: 'utf8', timeout: INSTALL_TIMEOUT_MS });
}

function succeed({ status, stdout, stderr }: SpawnSyncReturns<string>): void {
  if (status !== 0) throw new Error(`python3 ended with ${status}\n${stdout}${stderr}`);
}
