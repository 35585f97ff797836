// Revokes: the store's one atomic step, then the audit record, then the acknowledgement.

import type { Token } from './token.js';
import type { Cursor } from './token-store.js';

export interface Revoke {
  /** Resolves once nobody, on any server, is told any more that the token is active. */
  token(
    token: Token,
  ): Promise<{ readonly revision: Cursor; readonly iss: string | undefined; readonly beforeMs: number }>;
}
