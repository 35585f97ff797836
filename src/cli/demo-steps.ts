// What the demo asks and what must come back. Every step says its answer; a wrong one fails the demo.
import { randomBytes } from 'node:crypto';
import { type ChannelCredentials, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { createIntrospectionClient, type IntrospectionClient, IntrospectionError } from '@introspectd/client';
import { IntrospectionServiceClient } from '@introspectd/client/gen/introspectd/v1/introspection_service';
import { TokenUse } from '@introspectd/client/gen/introspectd/v1/token_claims';
import {
  type RegisterTokensResponse,
  type TokenEntry,
  TokenRegistryServiceClient,
} from '@introspectd/client/gen/introspectd/v1/token_registry_service';
import type { DevCaller } from './dev-workspace.js';

const ISSUER = 'https://login.example';
const ORDERS = 'https://orders.example';
const BILLING = 'https://billing.example';
const BATCH = 1000;
const REGISTER_ITEMS = 500;
const TIMEOUT_MS = 5_000;

/** The policy of the demo: an issuer, a service, one that may only register, and security. */
export const DEMO_CALLERS: readonly DevCaller[] = [
  { name: 'login', permissions: ['register'], issuers: [ISSUER], audiences: ['*'] },
  { name: 'orders', permissions: ['introspect', 'batch', 'watch'], issuers: [ISSUER], audiences: [ORDERS] },
  { name: 'security', permissions: [], revoke: ['token'], issuers: [ISSUER], audiences: ['*'] },
];
/** Has a certificate of the CA, and is not in the policy. */
export const DEMO_STRANGER = 'stranger';

export interface DemoStep {
  readonly name: string;
  /** The answer, as it must be. */
  readonly expect: string;
  readonly run: () => Promise<string>;
}

export interface DemoConnections {
  readonly target: string;
  readonly ca: Buffer;
  /** Credentials of a generated client. */
  credentials(caller: string): ChannelCredentials;
  client(caller: string): IntrospectionClient;
}

/** Tokens of the demo, fresh for each run. */
export interface DemoTokens {
  readonly good: string;
  readonly revocable: string;
}

export function createDemoSteps(connections: DemoConnections, tokens: DemoTokens): readonly DemoStep[] {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const [expired, notYet, foreign, refresh] = [newToken(), newToken(), newToken(), newToken()];
  const batch = Array.from({ length: BATCH }, newToken);
  const registered = batch.slice(0, BATCH - 100);
  const entry = (token: string, claims: Partial<TokenEntry['claims']> = {}) => toEntry(token, nowSeconds, claims);
  const entries = [
    entry(tokens.good),
    entry(tokens.revocable),
    entry(expired, { iat: BigInt(nowSeconds - 7200), exp: BigInt(nowSeconds - 3600) }),
    entry(notYet, { nbf: BigInt(nowSeconds + 600) }),
    entry(foreign, { aud: [BILLING] }),
    entry(refresh, { tokenUse: TokenUse.REFRESH_TOKEN }),
    ...registered.map((token) => entry(token)),
  ];
  const ask = (caller: string, token: string) => async () => spell(await connections.client(caller).introspect(token));

  return [
    {
      name: `login registers ${entries.length} tokens`,
      expect: `${entries.length} OK`,
      run: () => registerAll(connections, entries),
    },
    {
      name: 'orders asks about a good token',
      expect: 'active, sub alice, scope read',
      run: ask('orders', tokens.good),
    },
    { name: '  an expired one', expect: 'inactive', run: ask('orders', expired) },
    { name: '  one not valid yet', expect: 'inactive', run: ask('orders', notYet) },
    { name: '  one nobody registered', expect: 'inactive', run: ask('orders', newToken()) },
    { name: '  one meant for billing', expect: 'inactive', run: ask('orders', foreign) },
    { name: '  a refresh token', expect: 'inactive', run: ask('orders', refresh) },
    {
      name: 'orders asks about another good token',
      expect: 'active, sub alice, scope read',
      run: ask('orders', tokens.revocable),
    },
    {
      name: '  the same again',
      expect: 'active, sub alice, from memory',
      run: () => askMemory(connections.client('orders'), tokens.revocable),
    },
    { name: 'security revokes that token', expect: 'OK', run: () => revoke(connections, tokens.revocable) },
    {
      name: 'orders asks until it hears of it',
      expect: 'inactive',
      run: () => askUntilInactive(connections.client('orders'), tokens.revocable),
    },
    {
      name: `orders asks about ${BATCH} tokens at once`,
      expect: '900 active, 100 inactive',
      run: () => askMany(connections, batch),
    },
    {
      name: 'stranger asks: not in the policy',
      expect: 'PERMISSION_DENIED CALLER_UNKNOWN',
      run: ask(DEMO_STRANGER, tokens.good),
    },
    {
      name: 'login asks: may only register',
      expect: 'PERMISSION_DENIED PERMISSION_MISSING',
      run: ask('login', tokens.good),
    },
    {
      name: 'somebody without a certificate asks',
      expect: 'no connection',
      run: () => askWithoutCertificate(connections, tokens.good),
    },
  ];
}

export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** Runs the step; an error of the client is an answer, spelled by its code and reason. */
export async function runStep(step: DemoStep): Promise<string> {
  try {
    return await step.run();
  } catch (error) {
    if (error instanceof IntrospectionError) return `${error.code} ${error.reason ?? ''}`.trim();
    throw error;
  }
}

export function createDemoClients(
  target: string,
  tls: (caller: string) => Parameters<typeof createIntrospectionClient>[0]['tls'],
) {
  const clients = new Map<string, IntrospectionClient>();
  return {
    client: (caller: string) => {
      const client =
        clients.get(caller) ?? createIntrospectionClient({ target, tls: tls(caller), timeoutMs: TIMEOUT_MS });
      clients.set(caller, client);
      return client;
    },
    close: async () => {
      await Promise.all([...clients.values()].map((client) => client.close()));
    },
  };
}

function toEntry(token: string, nowSeconds: number, claims: Partial<TokenEntry['claims']>): TokenEntry {
  return {
    credential: { $case: 'token', value: token },
    claims: {
      iss: ISSUER,
      aud: [ORDERS],
      sub: 'alice',
      clientId: 'web',
      scope: 'read',
      tokenType: 'Bearer',
      tokenUse: TokenUse.ACCESS_TOKEN,
      iat: BigInt(nowSeconds),
      exp: BigInt(nowSeconds + 3600),
      authorizationDetails: [],
      ...claims,
    },
    issuedAtMs: undefined,
  };
}

async function registerAll(connections: DemoConnections, entries: readonly TokenEntry[]): Promise<string> {
  const registry = new TokenRegistryServiceClient(connections.target, connections.credentials('login'));
  let accepted = 0;
  for (let start = 0; start < entries.length; start += REGISTER_ITEMS) {
    const request = { entries: entries.slice(start, start + REGISTER_ITEMS) };
    const { results } = await new Promise<RegisterTokensResponse>((resolve, reject) => {
      const deadline = { deadline: Date.now() + TIMEOUT_MS };
      registry.registerTokens(request, new Metadata(), deadline, (error, response) =>
        error ? reject(error) : resolve(response),
      );
    });
    accepted += results.filter(({ status }) => (status?.code ?? 0) === 0).length;
  }
  registry.close();
  return `${accepted} OK`;
}

async function revoke(connections: DemoConnections, token: string): Promise<string> {
  await connections.client('security').revoke(token, { reason: 'demo' });
  return 'OK';
}

/** Answers come from memory once the daemon's watch has granted a lease, moments after the first call. */
async function askMemory(client: IntrospectionClient, token: string): Promise<string> {
  const endMs = performance.now() + TIMEOUT_MS;
  while (performance.now() < endMs) {
    const { hits } = client.stats();
    const answer = await client.introspect(token);
    if (client.stats().hits > hits) return answer.active ? `active, sub ${answer.sub}, from memory` : 'inactive';
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return 'not from memory';
}

/** How long it takes after the acknowledgement is the time of this step. */
async function askUntilInactive(client: IntrospectionClient, token: string): Promise<string> {
  const endMs = performance.now() + TIMEOUT_MS;
  while (performance.now() < endMs) {
    if (!(await client.introspect(token)).active) return 'inactive';
    await new Promise((resolve) => setImmediate(resolve));
  }
  return 'active';
}

async function askMany(connections: DemoConnections, tokens: readonly string[]): Promise<string> {
  const answers = await connections.client('orders').introspectMany(tokens);
  const active = answers.filter((answer) => 'active' in answer && answer.active).length;
  return `${active} active, ${answers.length - active} inactive`;
}

async function askWithoutCertificate({ target, ca }: DemoConnections, token: string): Promise<string> {
  const anonymous = new IntrospectionServiceClient(target, credentials.createSsl(ca));
  const request = { token, tokenTypeHint: '', audiences: [], includeTags: false };
  const error = await new Promise<ServiceError | null>((resolve) => {
    anonymous.introspect(request, new Metadata(), { deadline: Date.now() + TIMEOUT_MS }, resolve);
  });
  anonymous.close();
  return error === null ? 'an answer' : 'no connection';
}

function spell(answer: Awaited<ReturnType<IntrospectionClient['introspect']>>): string {
  return answer.active ? `active, sub ${answer.sub}, scope ${answer.scope}` : 'inactive';
}
