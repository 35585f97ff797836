// Started as a process: a real authorization server, panva/oidc-provider, with opaque access tokens in memory. It is given
// what helps it: an adapter that is a Map, one grant for all tokens, the cheapest client authentication, a type hint.
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import Provider, { type Adapter } from 'oidc-provider';
import { answerParent } from '../child.js';
import { ASKED, AUDIENCE, ISSUER, toToken } from '../corpus.js';
import type { PeerPorts, PeerTls } from './peer-ports.js';

export interface OidcQuestion {
  readonly tls: PeerTls;
  readonly clientId: string;
  readonly clientSecret: string;
}

const TTL_SECONDS = 3 * 3600;
const SCOPE = 'orders.read orders.write';

const maps = new Map<string, Map<string, object>>();

answerParent(async ({ tls, clientId, clientSecret }: OidcQuestion): Promise<PeerPorts> => {
  const provider = new Provider(ISSUER, {
    adapter: createAdapter,
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        token_endpoint_auth_method: 'client_secret_basic',
        grant_types: ['authorization_code'],
        id_token_signed_response_alg: 'ES256',
        redirect_uris: ['https://shop.example/callback'],
      },
    ],
    scopes: SCOPE.split(' '),
    jwks: { keys: [generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })] },
    features: { introspection: { enabled: true, allowedPolicy: () => true }, devInteractions: { enabled: false } },
    ttl: { AccessToken: TTL_SECONDS, Grant: TTL_SECONDS },
  });
  await fill(provider, clientId);
  const answer = provider.callback();
  const handle: Parameters<typeof createHttpServer>[1] = (request, response) => void answer(request, response);
  const files = { cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile), ca: readFileSync(tls.caFile) };
  const secure = { ...files, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3' } as const;
  return {
    pid: process.pid,
    plaintext: await listen(createHttpServer(handle)),
    mtls: await listen(createHttpsServer(secure, handle)),
  };
});

function createAdapter(model: string): Adapter {
  const map = maps.get(model) ?? new Map<string, object>();
  maps.set(model, map);
  return {
    upsert: async (id, payload) => void map.set(id, payload),
    find: async (id) => map.get(id),
  };
}

/** One token is made by the provider; the others are like it, under the names that the load asks about. */
async function fill(provider: Provider, clientId: string): Promise<void> {
  const client = await provider.Client.find(clientId);
  const owner = { accountId: 'user-0000000000', clientId };
  const grant = new provider.Grant(owner);
  grant.addOIDCScope(SCOPE);
  const grantId = await grant.save();
  const fields = { ...owner, client, grantId, scope: SCOPE, aud: AUDIENCE, gty: 'authorization_code' };
  const made = await new provider.AccessToken(fields).save();
  const tokens = maps.get('AccessToken');
  const payload = tokens?.get(made);
  if (tokens === undefined || payload === undefined) throw new Error('oidc-provider did not keep its token');
  for (let number = ASKED.first; number < ASKED.first + ASKED.count; number++) {
    const jti = toToken(number);
    tokens.set(jti, { ...payload, jti });
  }
}

async function listen(server: HttpServer): Promise<number> {
  // Rows take turns: between them connections are idle for long, and those of the last rows before their first request.
  server.keepAliveTimeout = 0;
  server.headersTimeout = 0;
  server.requestTimeout = 0;
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
