/** One call on its way. */
export interface Call {
  /** Whom it counts for: when it was to be sent, ms of performance.now(). */
  readonly dueMs: number;
  /** Set by the connection: the answer was whole, and what was expected. */
  isOk: boolean;
}

/** A way to a server that takes so many calls at once. */
export interface Connection {
  readonly slots: number;
  /** False once the server said goodbye; calls under way may still be answered. */
  isOpen(): boolean;
  /** Not before flush() is anything sent. */
  send(call: Call): void;
  flush(): void;
  /** Called for every call that was sent, once: answered or failed. */
  onDone: (call: Call) => void;
  close(): void;
}
