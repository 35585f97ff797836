// Registers tokens, a few at a time, and repeats what was not acknowledged at the next daemon.
import {
  type RegisterTokensRequest,
  TokenRegistryServiceClient,
} from '@introspectd/client/gen/introspectd/v1/token_registry_service';
import { createTestCredentials, type TestTls } from '../support/test-credentials.js';
import { call } from './calls.js';
import { type IssuedToken, monotonicMs } from './history.js';
import { AUDIENCE, describeToken } from './tokens.js';

export interface Issuer {
  /** Those that were registered, of the next few. */
  issue(): Promise<readonly IssuedToken[]>;
  close(): void;
}

const AT_ONCE = 16;
const TIMEOUT_MS = 1500;
const LONG_SECONDS = 3600;
const SHORT_SECONDS = 4;
const FAILED_PRECONDITION = 9;

export function createIssuer(targets: readonly string[], tls: TestTls): Issuer {
  const clients = targets.map((target) => new TokenRegistryServiceClient(target, createTestCredentials(tls)));
  let next = 0;
  let turn = 0;
  let closed = false;

  const register = async (request: RegisterTokensRequest) => {
    while (!closed) {
      const client = clients[turn++ % clients.length];
      const response = client && (await call(client.registerTokens.bind(client), request, TIMEOUT_MS));
      if (response !== undefined) return response.results;
    }
    throw new Error('the issuer was closed');
  };

  return {
    issue: async () => {
      const ids = Array.from({ length: AT_ONCE }, () => next++);
      const [issuedAtMs, invokeMs] = [Date.now(), monotonicMs()];
      const wallMs = issuedAtMs - invokeMs;
      const entries = ids.map((id) => toEntry(id, issuedAtMs));
      const results = await register({ entries: entries.map(({ entry }) => entry) });
      const returnMs = monotonicMs();
      return ids.flatMap((id, index) => {
        const { code = 0, message } = results[index]?.status ?? {};
        // Repeated after the first attempt took effect, it may meet a revocation.
        if (code === FAILED_PRECONDITION) return [];
        if (code !== 0) throw new Error(`a registration failed: ${message}`);
        const endsMs = (entries[index]?.expSeconds ?? 0) * 1000 - wallMs;
        return { id, invokeMs, returnMs, issuedAtMs, endsMs };
      });
    },
    close: () => {
      closed = true;
      for (const client of clients) client.close();
    },
  };
}

function toEntry(id: number, issuedAtMs: number) {
  const { token, isRefresh, isShortLived, ...claims } = describeToken(id);
  const iatSeconds = Math.floor(issuedAtMs / 1000);
  const expSeconds = iatSeconds + (isShortLived ? SHORT_SECONDS : LONG_SECONDS);
  const entry = {
    credential: { $case: 'token' as const, value: token },
    claims: {
      ...claims,
      aud: [AUDIENCE],
      tokenUse: isRefresh ? (2 as const) : (1 as const),
      iat: BigInt(iatSeconds),
      exp: BigInt(expSeconds),
      authorizationDetails: [],
    },
    issuedAtMs: BigInt(issuedAtMs),
  };
  return { entry, expSeconds };
}
