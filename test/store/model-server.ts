// A server on a store, made as the daemon makes it: fence, table, batcher and judge, behind one handle.
import { setImmediate } from 'node:timers';
import { createFence } from '../../src/core/fence.js';
import { createIntrospect } from '../../src/core/introspect.js';
import type { KeyRing } from '../../src/core/key-ring.js';
import { createPolicy } from '../../src/core/policy.js';
import { createReadBatcher } from '../../src/core/read-batcher.js';
import { createRevocationTable } from '../../src/core/revocation-table.js';
import type { Token } from '../../src/core/token.js';
import type { TokenStore } from '../../src/core/token-store.js';
import { ISS } from './fixtures.js';

export interface ModelServer {
  readonly store: TokenStore;
  /** Whether each is active, asked one by one in one tick, or as one batch. */
  ask(how: 'one' | 'many', names: readonly string[]): Promise<readonly boolean[]>;
}

const CALLER = createPolicy([
  {
    name: 'model',
    identities: ['model'],
    permissions: ['introspect'],
    revoke: [],
    issuers: [ISS],
    audiences: ['*'],
    tokenUse: ['access_token', 'refresh_token'],
    claims: undefined,
  },
]).getCaller(['model']);

export interface ModelServerRequest {
  readonly store: TokenStore;
  readonly keyRing: KeyRing;
  /** The clock of the server, ms. */
  readonly now: () => number;
}

export function createModelServer({ store, keyRing, now }: ModelServerRequest): ModelServer {
  const table = createRevocationTable();
  const fence = createFence({ store, table });
  const batcher = createReadBatcher({ fence, schedule: setImmediate });
  const introspect = createIntrospect({ keyRing, fence, batcher, table, now });
  const command = { caller: CALLER, audiences: [] };
  return {
    store,
    ask: async (how, names) => {
      const tokens = names as readonly Token[];
      const verdicts =
        how === 'many'
          ? await introspect.many(command, tokens)
          : await Promise.all(tokens.map((token) => introspect.one(command, token)));
      return verdicts.map((verdict) => {
        if (verdict instanceof Error) throw verdict;
        return verdict.active;
      });
    },
  };
}
