import { randomUUID } from 'node:crypto';
import type { Metadata } from '@grpc/grpc-js';

/** Metadata key, in requests and in trailers. */
export const REQUEST_ID_KEY = 'x-request-id';

// Short and plain, because it goes into logs as it is.
const FORM = /^[A-Za-z0-9._-]{1,64}$/;

/** The caller's own request id where it has one of good form, a random one where it has another; undefined = it has none. */
export function findRequestId(metadata: Metadata): string | undefined {
  const [value] = metadata.get(REQUEST_ID_KEY);
  if (value === undefined) return undefined;
  return typeof value === 'string' && FORM.test(value) ? value : randomUUID();
}

/** As findRequestId(), and a random one where the caller has none. */
export function readRequestId(metadata: Metadata): string {
  return findRequestId(metadata) ?? randomUUID();
}
