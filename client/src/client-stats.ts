/** What a client did since it was made, and what it holds now. */
export interface ClientStats {
  /** Answers from memory: active ones. */
  readonly hits: number;
  /** Answers from memory: inactive ones. */
  readonly inactiveHits: number;
  /** `introspect` calls that went to the daemon, or shared a question on its way there. */
  readonly misses: number;
  /** Introspect and BatchIntrospect requests that left, retries included. */
  readonly requests: number;
  /** Requests that were tried again. */
  readonly retries: number;
  /** Times that the daemon said that the cache must be emptied. */
  readonly resets: number;
  /** Revocations that named something which answers in memory belonged to. */
  readonly drops: number;
  /** Active answers in memory, dropped ones included until they are asked for or pushed out. */
  readonly entries: number;
  /** Inactive answers in memory. */
  readonly inactiveEntries: number;
  /** About how much memory the active answers take, in bytes. */
  readonly bytes: number;
  /**
   * `off`: no cache was asked for, or the client is closed. `waiting`: no lease, so every call goes to the daemon. `leased`:
   * what is in memory may be answered.
   */
  readonly cache: 'off' | 'waiting' | 'leased';
}
