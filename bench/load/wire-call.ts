import type { LoadCall } from '../http2-load.js';
import type { WireCall } from './wire-load.js';

/** What the answer about an active token begins with: field 1, true. */
export const ACTIVE = [0x08, 0x01];
/** Nothing that every answer has: a message has to come, whatever is in it. */
export const ANY: readonly number[] = [];

export function toWireCall({ path, frame, numbering }: LoadCall, answerPrefix: readonly number[]): WireCall {
  return { protocol: 'h2', path, frame, numbering, answerPrefix: Uint8Array.from(answerPrefix) };
}
