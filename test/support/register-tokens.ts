import { Metadata } from '@grpc/grpc-js';
import type { TokenClaims } from '@introspectd/client/gen/introspectd/v1/token_claims';
import {
  type RegisterTokensResponse,
  TokenRegistryServiceClient,
} from '@introspectd/client/gen/introspectd/v1/token_registry_service';
import { AUDIENCE, ISSUER } from '../cases/introspect-cases.js';
import { createTestCredentials, type TestTls } from './test-credentials.js';

export interface TestToken {
  readonly token: string;
  /** Over claims that make a good access token for an hour. */
  readonly claims?: Partial<TokenClaims>;
  readonly issuedAtMs?: number;
}

/** One RegisterTokens on a connection of its own; the results as they come. */
export function registerTokens(
  { target, tls }: { readonly target: string; readonly tls: TestTls },
  entries: readonly TestToken[],
): Promise<RegisterTokensResponse> {
  const registry = new TokenRegistryServiceClient(target, createTestCredentials(tls));
  const options = { deadline: Date.now() + 10_000 };
  return new Promise<RegisterTokensResponse>((resolve, reject) => {
    const request = { entries: entries.map(toTokenEntry) };
    registry.registerTokens(request, new Metadata(), options, (error, response) =>
      error ? reject(error) : resolve(response),
    );
  }).finally(() => registry.close());
}

export function toTokenEntry({ token, claims, issuedAtMs }: TestToken) {
  const nowSeconds = BigInt(Math.floor(Date.now() / 1000));
  const good: TokenClaims = {
    iss: ISSUER,
    aud: [AUDIENCE],
    sub: 'alice',
    clientId: 'web',
    scope: 'read write',
    tokenUse: 1,
    iat: nowSeconds,
    exp: nowSeconds + 3600n,
    authorizationDetails: [],
  };
  return {
    credential: { $case: 'token' as const, value: token },
    claims: { ...good, ...claims },
    issuedAtMs: issuedAtMs === undefined ? undefined : BigInt(issuedAtMs),
  };
}
