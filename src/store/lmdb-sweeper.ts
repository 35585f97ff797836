/** What one transaction of the sweeper removes, and how long it rests when nothing has expired. */
const BATCH = 200;
const REST_MS = 5000;

export interface SweeperParts {
  readonly hasExpired: () => Promise<boolean>;
  /** Removes at most `limit`; resolves to how many there were. */
  readonly sweep: (limit: number) => Promise<number>;
}

/** Takes what has expired out of the file, in steps that hold nobody up. Returns how to stop it; never keeps a process. */
export function startSweeper({ hasExpired, sweep }: SweeperParts): () => void {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const rest = (): void => {
    if (!stopped) timer = setTimeout(() => void step().then(rest), REST_MS).unref();
  };
  const step = async (): Promise<void> => {
    try {
      while (!stopped && (await hasExpired()) && (await sweep(BATCH)) === BATCH);
    } catch {
      // Nobody waits for this: what has expired is hidden anyway, and the next step tries again.
    }
  };

  rest();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
