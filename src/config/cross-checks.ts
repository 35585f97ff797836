// What no setting can tell on its own. Beside the schema, because zod skips such checks once another setting is wrong.
import { parseAddress } from './address.js';
import { isPlainMap, valueAt } from './config-leaves.js';
import type { Fault } from './faults.js';

/** What a batch of answers may weigh: the default limit for a message of most gRPC clients. */
const MESSAGE_BYTES = 4 * 1024 * 1024;

/** Headers that mean something to Envoy, or to HTTP. */
const NOT_FOR_IDENTITY = [
  ...['authorization', 'cookie', 'host', 'connection', 'content-length', 'transfer-encoding', 'te', 'upgrade'],
  ...['x-request-id', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-client-cert'],
];

/** Looks at the values it understands alone; the schema complains about the others. */
export function findCrossFaults(tree: unknown): Fault[] {
  const faults: Fault[] = [];
  const batchTokens = valueAt(tree, ['limits', 'batch_tokens']);
  const claimsBytes = valueAt(tree, ['limits', 'claims_bytes']);
  if (typeof batchTokens === 'number' && typeof claimsBytes === 'number' && batchTokens * claimsBytes > MESSAGE_BYTES) {
    const problem = `batch_tokens * claims_bytes must fit 4 MiB (${MESSAGE_BYTES}); lower one of them`;
    faults.push({ path: 'limits.batch_tokens', problem });
  }
  const [listen, opsListen] = ['listen', 'ops_listen'].map((key) => parseAddress(String(valueAt(tree, [key]))));
  if (listen?.port && listen.port === opsListen?.port && listen.host === opsListen.host) {
    faults.push({ path: 'ops_listen', problem: 'is the address of listen; give it another port' });
  }
  return [...faults, ...findRedisFaults(tree), ...findExtAuthzFaults(tree)];
}

function findRedisFaults(tree: unknown): Fault[] {
  const find = (...path: readonly string[]): unknown => valueAt(tree, ['store', ...path]);
  const url = find('url');
  if (find('kind') !== 'redis') {
    return url === undefined
      ? []
      : [{ path: 'store.url', problem: 'is for store.kind redis; set that, or remove this' }];
  }
  const faults: Fault[] = [];
  const problem = url === undefined ? 'required with store.kind redis' : findUrlProblem(String(url));
  if (problem !== undefined) faults.push({ path: 'store.url', problem });
  if ((find('tls', 'cert_file') === undefined) !== (find('tls', 'key_file') === undefined)) {
    faults.push({ path: 'store.tls', problem: 'cert_file and key_file go together' });
  }
  return faults;
}

/** An identity header that is also something else would be overwritten by it, or overwrite it. */
function findExtAuthzFaults(tree: unknown): Fault[] {
  const { header, cookie } = toMap(valueAt(tree, ['ext_authz', 'credential']));
  const faults: Fault[] = [];
  if (header !== undefined && cookie !== undefined) {
    faults.push({ path: 'ext_authz.credential', problem: 'header and cookie exclude each other; give one' });
  }
  const taken = new Set<unknown>([...NOT_FOR_IDENTITY, header]);
  for (const [claim, name] of Object.entries(toMap(valueAt(tree, ['ext_authz', 'headers'])))) {
    if (taken.has(name)) faults.push({ path: `ext_authz.headers.${claim}`, problem: 'is the name of another header' });
    taken.add(name);
  }
  return faults;
}

function toMap(value: unknown): Readonly<Record<string, unknown>> {
  return isPlainMap(value) ? value : {};
}

/** Never quotes the url: somebody may have put a password into it. */
function findUrlProblem(text: string): string | undefined {
  const expected = 'must be redis://HOST:PORT/DB, rediss://HOST:PORT/DB or unix:/PATH';
  if (!URL.canParse(text)) return expected;
  const { protocol, hostname, pathname, username, password, search, hash } = new URL(text);
  if (username !== '' || password !== '')
    return 'holds a name or a password; give store.username and store.password_file';
  if (search !== '' || hash !== '') return expected;
  if (protocol === 'unix:') return pathname.startsWith('/') && hostname === '' ? undefined : expected;
  const isRedis = protocol === 'redis:' || protocol === 'rediss:';
  return isRedis && hostname !== '' && /^\/?\d{0,5}$/.test(pathname) ? undefined : expected;
}
