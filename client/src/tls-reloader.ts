// Looks whether the files of the client's TLS changed. fs.watch is not enough: it says nothing of a symbolic link that is
// turned, as Kubernetes does with mounted secrets.
import type { ChannelCredentials } from '@grpc/grpc-js';
import type { ClientLogger } from './client-logger.js';
import { MAX_TIMER_MS } from './clocks.js';
import { IntrospectionError } from './introspection-error.js';
import { type ClientTls, createCredentials, readTls, type TlsParts } from './tls.js';

export interface TlsReloaderDependencies {
  readonly tls: ClientTls;
  /** What is in use. */
  readonly inUse: TlsParts;
  /** Puts what the files hold now into use. */
  readonly use: (credentials: ChannelCredentials) => Promise<void>;
  readonly logger: ClientLogger;
}

const EVERY_MS = 2_000;

/** Returns what stops it. Throws INVALID_ARGUMENT for a `reloadMs` that is none. */
export function startTlsReloader({ tls, inUse, use, logger }: TlsReloaderDependencies): () => void {
  const everyMs = 'caFile' in tls ? (tls.reloadMs ?? EVERY_MS) : 0;
  if (!Number.isInteger(everyMs) || everyMs < 0 || everyMs > MAX_TIMER_MS) {
    throw new IntrospectionError('INVALID_ARGUMENT', 'tls.reloadMs is a number of milliseconds, or 0');
  }
  if (everyMs === 0) return () => undefined;
  let seen = inUse;
  let tried = inUse;
  let told: string | undefined;

  async function look(): Promise<void> {
    try {
      const before = seen;
      seen = readTls(tls);
      // Files that belong together do not change together: they are used once all of them stayed the same for one look.
      if (!isSame(before, seen) || isSame(seen, tried)) return;
      tried = seen;
      await use(createCredentials(seen));
      told = undefined;
      logger.info({}, 'TLS files reloaded');
    } catch (error) {
      const message = error instanceof IntrospectionError ? error.message : 'TLS files cannot be used';
      if (message !== told) logger.warn({ problem: message }, 'TLS files not reloaded: those before stay in use');
      told = message;
    }
  }

  let isLooking = false;
  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    void look().finally(() => {
      isLooking = false;
    });
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

function isSame(a: TlsParts, b: TlsParts): boolean {
  return (['ca', 'cert', 'key'] as const).every((part) => a[part].pem.equals(b[part].pem));
}
