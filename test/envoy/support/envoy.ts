// A real Envoy with the configuration of examples/envoy, on ports of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import type { TestTls } from '../../support/test-credentials.js';
import type { EnvoyBinary } from './envoy-binary.js';
import { startUpstream, type Upstream } from './upstream.js';

export interface EnvoyRequest {
  readonly binary: EnvoyBinary;
  /** What Envoy shows to introspectd; its CA is the one of everything here. */
  readonly tls: TestTls;
  /** Of Envoy's own listener. */
  readonly serverTls: { readonly certFile: string; readonly keyFile: string };
  /** "host:port" of daemons. */
  readonly daemons: readonly string[];
  /** Changes to the filter's configuration. */
  readonly filter?: Readonly<Record<string, unknown>>;
  /** "long": a busy machine does not end a Check. */
  readonly patience?: 'example' | 'long';
  /** "none": whoever is no caller of the policy is refused by the health service, too. */
  readonly healthChecks?: 'example' | 'none';
  /** Routes in front of those of the example: path prefix -> context_extensions. */
  readonly routes?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface Envoy {
  readonly upstream: Upstream;
  /** On a connection that is kept. */
  ask(path: string, options?: AskOptions): Promise<Answer>;
  /** Value of a counter or a gauge. */
  stat(name: string): Promise<number>;
  stop(): Promise<void>;
}

export interface AskOptions {
  readonly method?: string;
  /** An array is as many header fields. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** What the client shows to Envoy. */
  readonly tls?: TestTls;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

interface Example {
  readonly admin: { readonly address: Address };
  readonly static_resources: {
    readonly listeners: readonly [Listener];
    readonly clusters: readonly [Cluster, Cluster];
  };
}
interface Address {
  socket_address: { address: string; port_value: number };
}
interface Listener {
  readonly address: Address;
  readonly filter_chains: readonly [{ readonly filters: readonly [{ readonly typed_config: ConnectionManager }] }];
}
interface ConnectionManager {
  readonly http_filters: readonly [{ readonly typed_config: { readonly grpc_service: { timeout: string } } }];
  readonly route_config: { readonly virtual_hosts: readonly [{ readonly routes: unknown[] }] };
}
interface Cluster {
  health_checks?: readonly { timeout: string }[];
  readonly load_assignment: { readonly endpoints: readonly [{ lb_endpoints: unknown[] }] };
}

const EXAMPLE = fileURLToPath(new URL('../../../../examples/envoy/envoy.yaml', import.meta.url));
const START_TIMEOUT_MS = 30_000;
const PER_ROUTE = 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute';

/** Resolves when it serves and has found a daemon healthy, if there are any. */
export async function startEnvoy(request: EnvoyRequest): Promise<Envoy> {
  const { binary, tls, serverTls, daemons } = request;
  const upstream = await startUpstream();
  const folder = mkdtempSync(join(tmpdir(), 'introspectd-envoy-'));
  const at = (name: string) => join(folder, name);
  mkdirSync(at('certs'));
  copyFileSync(tls.caFile, at('certs/ca.crt'));
  copyFileSync(tls.certFile, at('certs/envoy.crt'));
  copyFileSync(tls.keyFile, at('certs/envoy.key'));
  copyFileSync(serverTls.certFile, at('certs/server.crt'));
  copyFileSync(serverTls.keyFile, at('certs/server.key'));
  writeFileSync(at('envoy.yaml'), toConfig(request, upstream.port));
  const args = ['-c', 'envoy.yaml', '--use-dynamic-base-id', '--admin-address-path', 'admin', '--concurrency', '1'];
  const quiet = ['--log-level', 'warning', '--log-path', 'envoy.log'];
  const child = spawn(binary.path, [...args, ...quiet], { cwd: folder, stdio: 'ignore' });
  const gone = once(child, 'exit');

  const agents = new Map<string, Agent>();
  const agentOf = (shown: TestTls | undefined): Agent => {
    const key = shown?.certFile ?? '';
    const known = agents.get(key);
    if (known !== undefined) return known;
    const client = shown && { cert: readFileSync(shown.certFile), key: readFileSync(shown.keyFile) };
    const agent = new Agent({ keepAlive: true, ca: readFileSync(tls.caFile), servername: 'localhost', ...client });
    agents.set(key, agent);
    return agent;
  };
  const stop = async (): Promise<void> => {
    for (const agent of agents.values()) agent.destroy();
    child.kill('SIGKILL');
    await gone;
    await upstream.close();
    rmSync(folder, { recursive: true, force: true });
  };
  const admin = async (path: string): Promise<string> =>
    (await fetch(`http://${readFileSync(at('admin'), 'utf8').trim()}${path}`)).text();
  const stat = async (name: string): Promise<number> => {
    const [, value = '0'] = new RegExp(`^${name}: (\\d+)$`, 'm').exec(await admin('/stats')) ?? [];
    return Number(value);
  };
  const isReady = async (): Promise<boolean> =>
    existsSync(at('admin')) &&
    (await admin('/ready')).startsWith('LIVE') &&
    (daemons.length === 0 || (await stat('cluster.introspectd.membership_healthy')) === daemons.length);
  try {
    const endMs = performance.now() + START_TIMEOUT_MS;
    while (!(await isReady().catch(() => false))) {
      if (child.exitCode !== null || performance.now() > endMs) {
        throw new Error(
          `Envoy did not start: ${existsSync(at('envoy.log')) ? readFileSync(at('envoy.log'), 'utf8') : ''}`,
        );
      }
      await sleep(50);
    }
    const [, port] = /"port_value": (\d+)/.exec(await admin('/listeners?format=json')) ?? [];
    return {
      upstream,
      stat,
      stop,
      ask: (path, options = {}) => ask(Number(port), path, options, agentOf(options.tls)),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function ask(port: number, path: string, { method = 'GET', headers = {} }: AskOptions, agent: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, method, agent, headers: { ...headers } as Record<string, string> };
    const request = httpsRequest(options, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    request.on('error', reject);
    request.end();
  });
}

function toConfig(
  { daemons, filter = {}, routes = {}, healthChecks, patience }: EnvoyRequest,
  upstreamPort: number,
): string {
  const config = parse(readFileSync(EXAMPLE, 'utf8')) as Example;
  const [listener] = config.static_resources.listeners;
  const [introspectd, service] = config.static_resources.clusters;
  const {
    http_filters: [authz],
    route_config: {
      virtual_hosts: [host],
    },
  } = listener.filter_chains[0].filters[0].typed_config;
  config.admin.address.socket_address.port_value = 0;
  listener.address.socket_address.port_value = 0;
  introspectd.load_assignment.endpoints[0].lb_endpoints = daemons.map((target) => toEndpoint(target));
  service.load_assignment.endpoints[0].lb_endpoints = [toEndpoint(`127.0.0.1:${upstreamPort}`)];
  if (patience === 'long') {
    authz.typed_config.grpc_service.timeout = '10s';
    for (const check of introspectd.health_checks ?? []) check.timeout = '10s';
  }
  if (healthChecks === 'none') delete introspectd.health_checks;
  Object.assign(authz.typed_config, filter);
  host.routes.unshift(
    ...Object.entries(routes).map(([prefix, extensions]) => ({
      match: { path_separated_prefix: prefix },
      route: { cluster: 'service' },
      typed_per_filter_config: {
        'envoy.filters.http.ext_authz': {
          '@type': PER_ROUTE,
          check_settings: { context_extensions: extensions },
        },
      },
    })),
  );
  return stringify(config);
}

function toEndpoint(target: string): unknown {
  const [address = '', port = ''] = target.split(':');
  return { endpoint: { address: { socket_address: { address, port_value: Number(port) } } } };
}
