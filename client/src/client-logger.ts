/** Where the client says what it does by itself: a `pino` logger fits, and so does `console`. */
export interface ClientLogger {
  /** Something works again, or was replaced. */
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  /** Something does not work, and is tried again. */
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export const SILENT: ClientLogger = { info: () => undefined, warn: () => undefined };
