// Revokes tokens until each is revoked for good: a failed call may have taken place or not, so it is repeated.
import { type IntrospectionClient, IntrospectionError } from '@introspectd/client';
import type { RetryNote } from './job-run.js';

export interface RevokerRequest {
  readonly client: IntrospectionClient;
  readonly reason: string | undefined;
  /** How long to go on while no call succeeds. */
  readonly patienceMs: number;
  /** Ends it. */
  readonly signal: AbortSignal;
  readonly onRetry: RetryNote;
}

/** Resolves when all are dead; rejects with IntrospectionError. */
export type Revoker = (tokens: readonly string[]) => Promise<void>;

const CALLS = 16;
const MAX_WAIT_MS = 5_000;
const FIRST_WAIT_MS = 100;

export function createRevoker({ client, reason, patienceMs, signal, onRetry }: RevokerRequest): Revoker {
  let progressMs = performance.now();

  async function revoke(token: string): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        await client.revoke(token, { reason, signal });
        progressMs = performance.now();
        return;
      } catch (error) {
        if (!(error instanceof IntrospectionError) || signal.aborted || !canPass(error)) throw error;
        const delayMs = (error.retryDelayMs ?? 0) + Math.random() * Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt);
        if (performance.now() + delayMs - progressMs > patienceMs) throw error;
        onRetry(error);
        await new Promise((resolve) => setTimeout(resolve, delayMs));
      }
    }
  }

  return async (tokens) => {
    progressMs = performance.now();
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let token = tokens[next++]; token !== undefined; token = tokens[next++]) await revoke(token);
    };
    await Promise.all(Array.from({ length: CALLS }, worker));
  };
}

function canPass({ code, retryable }: IntrospectionError): boolean {
  return retryable || code === 'DEADLINE_EXCEEDED' || code === 'CANCELLED' || code === 'UNKNOWN';
}
