// JSON lines through pino, behind an interface that takes plain fields alone: no Error, no request can slip in whole.
import { type DestinationStream, type Level, pino, stdTimeFunctions } from 'pino';
import { attempt } from './attempt.js';

export type LogLevel = Extract<Level, 'debug' | 'info' | 'warn' | 'error'>;
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Logger {
  isEnabled(level: LogLevel): boolean;
  /** `event` is a fixed word, never text built from input. Never throws. */
  write(level: LogLevel, event: string, fields?: LogFields): void;
  /** Written at level info whatever the configured level is. */
  writeAlways(event: string, fields: LogFields): void;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly service: string;
  readonly destination: DestinationStream;
}

export function createLogger({ level, service, destination }: LoggerOptions): Logger {
  ignoreErrors(destination);
  const logger = pino(
    {
      level,
      base: { service },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  const always = logger.child({}, { level: 'info' });
  // A log that cannot be written is lost; answers, and above all revocations, go on.
  return {
    isEnabled: (asked) => logger.isLevelEnabled(asked),
    write: (at, event, fields = {}) => attempt(() => logger[at](fields, event)),
    writeAlways: (event, fields) => attempt(() => always.info(fields, event)),
  };
}

// A broken pipe is an 'error' event, which would end the process if nobody listened.
function ignoreErrors(destination: DestinationStream): void {
  if ('on' in destination && typeof destination.on === 'function') destination.on('error', () => undefined);
}
