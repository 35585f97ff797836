// A folder with all that a daemon needs to run: certificates, policy, configuration. For the demo and for tests.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { createDevCa, issueLeaf, validForDays } from './dev-certificates.js';

/** A caller as the policy file spells it, but for its identity, which is `spiffe://demo/NAME`. */
export interface DevCaller {
  readonly name: string;
  readonly [key: string]: unknown;
}

export interface DevWorkspaceRequest {
  readonly folder: string;
  /** Those the policy knows; each gets a certificate. */
  readonly callers: readonly DevCaller[];
  /** Those with a certificate that the policy does not know. */
  readonly strangers: readonly string[];
  /** Configuration beside the defaults of a workspace. */
  readonly config: Readonly<Record<string, unknown>>;
}

export interface DevWorkspace {
  readonly folder: string;
  readonly configFile: string;
  readonly policyFile: string;
  readonly storeFolder: string;
  /** The paths that a client of this name presents. */
  tls(name: string): { readonly caFile: string; readonly certFile: string; readonly keyFile: string };
}

const VALID_DAYS = 1;

export async function createDevWorkspace(request: DevWorkspaceRequest): Promise<DevWorkspace> {
  const { folder, callers, strangers, config } = request;
  const path = (name: string) => join(folder, name);
  await mkdir(folder, { recursive: true });
  const validity = validForDays(VALID_DAYS, Date.now());
  const ca = await createDevCa('introspectd demo CA', validity);
  await writeFile(path('ca.crt'), ca.certPem);

  const save = async (name: string, leaf: { readonly certPem: string; readonly keyPem: string }) => {
    await writeFile(path(`${name}.crt`), leaf.certPem);
    await writeFile(path(`${name}.key`), leaf.keyPem, { mode: 0o600 });
  };
  const server = { name: 'server', use: 'server', dnsNames: ['localhost'], ips: ['127.0.0.1'], validity } as const;
  await save('server', await issueLeaf(ca, server));
  for (const name of [...callers.map((caller) => caller.name), ...strangers]) {
    await save(name, await issueLeaf(ca, { name, use: 'client', uris: [toIdentity(name)], validity }));
  }

  const policy = {
    version: 1,
    callers: callers.map((caller) => ({ ...caller, identities: [toIdentity(caller.name)] })),
  };
  await writeFile(path('policy.yaml'), stringify(policy));
  const defaults = {
    listen: 'localhost:0',
    ops_listen: '127.0.0.1:0',
    tls: { cert_file: 'server.crt', key_file: 'server.key', client_ca_file: 'ca.crt' },
    policy_file: 'policy.yaml',
    store: { kind: 'lmdb', path: 'data' },
    keys_file: 'introspectd.keys',
  };
  await writeFile(path('introspectd.yaml'), stringify({ ...defaults, ...config }));

  return {
    folder,
    configFile: path('introspectd.yaml'),
    policyFile: path('policy.yaml'),
    storeFolder: path('data'),
    tls: (name) => ({ caFile: path('ca.crt'), certFile: path(`${name}.crt`), keyFile: path(`${name}.key`) }),
  };
}

function toIdentity(name: string): string {
  return `spiffe://demo/${name}`;
}
