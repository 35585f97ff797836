// Whether calls can be answered now; health and /readyz tell it, liveness does not depend on it.

export type ReadyState = 'starting' | 'ready' | 'store_unavailable' | 'draining';

export interface Readiness {
  state(): ReadyState;
  /** After "draining" nothing else counts. */
  set(state: ReadyState): void;
  /** Resolves at the next change, or when the signal is aborted. */
  nextChange(signal: AbortSignal): Promise<void>;
}

export function createReadiness(): Readiness {
  let state: ReadyState = 'starting';
  const waiting = new Set<() => void>();
  return {
    state: () => state,
    set: (next) => {
      if (state === next || state === 'draining') return;
      state = next;
      for (const wake of waiting) wake();
    },
    nextChange: (signal) =>
      new Promise((resolve) => {
        const wake = () => {
          waiting.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        if (signal.aborted) return wake();
        waiting.add(wake);
        signal.addEventListener('abort', wake);
      }),
  };
}
