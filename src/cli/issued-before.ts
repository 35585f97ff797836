import { InvalidArgumentError } from 'commander';
import { parseDurationMs } from '../config/duration.js';
import { parseInstantMs } from '../config/instant.js';

const OFFSET = /^(.*)([+-])([01]\d|2[0-3]):([0-5]\d)$/;

/**
 * "2027-01-01T00:00:00Z", with an offset in the place of Z, or how long ago: "10m" -> milliseconds since the epoch; undefined
 * for anything else.
 */
export function parseIssuedBeforeMs(text: string, nowMs: number): number | undefined {
  const agoMs = parseDurationMs(text);
  if (agoMs !== undefined) return nowMs - agoMs;
  const [, local, sign, hours, minutes] = OFFSET.exec(text) ?? [];
  if (local === undefined) return parseInstantMs(text);
  const localMs = parseInstantMs(`${local}Z`);
  const offsetMs = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return localMs === undefined ? undefined : localMs - (sign === '-' ? -offsetMs : offsetMs);
}

/** Of --issued-before. */
export function parseIssuedBeforeOption(text: string): Date {
  const nowMs = Date.now();
  const instantMs = parseIssuedBeforeMs(text, nowMs);
  if (instantMs === undefined) {
    throw new InvalidArgumentError('Expected an instant such as 2027-01-01T00:00:00Z, or how long ago, such as 10m.');
  }
  if (instantMs > nowMs) {
    throw new InvalidArgumentError("That is in the future by this machine's clock; leave it out for now.");
  }
  return new Date(instantMs);
}
