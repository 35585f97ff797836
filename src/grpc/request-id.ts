import { randomUUID } from 'node:crypto';
import type { Metadata } from '@grpc/grpc-js';

/** Metadata key, in requests and in the trailer of every answer. */
export const REQUEST_ID_KEY = 'x-request-id';

// Short and plain, because it goes into logs as it is.
const FORM = /^[A-Za-z0-9._-]{1,64}$/;

/** The caller's own request id where it has one of good form, else a random one. */
export function readRequestId(metadata: Metadata): string {
  const [value] = metadata.get(REQUEST_ID_KEY);
  return typeof value === 'string' && FORM.test(value) ? value : randomUUID();
}
