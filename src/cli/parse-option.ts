// Option texts -> values. A bad one is a usage error that says what was expected, not what was given.
import { InvalidArgumentError, Option } from 'commander';
import { parseDurationMs } from '../config/duration.js';

/** Its value is in milliseconds. */
export function durationOption(name: string, description: string): Option {
  return new Option(`${name} <duration>`, description).argParser((text) => {
    const ms = parseDurationMs(text);
    if (ms === undefined || ms === 0) throw new InvalidArgumentError('Expected a duration such as 200ms, 5s or 10m.');
    return ms;
  });
}

export function parseCountOption(text: string): number {
  const count = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (count === 0) throw new InvalidArgumentError('Expected a whole number from 1.');
  return count;
}

export function collectOption(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

export function outputOption(description: string): Option {
  return new Option('--output <format>', description).choices(['json', 'ndjson', 'table']);
}
