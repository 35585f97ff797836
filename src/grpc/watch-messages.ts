// The messages of WatchRevocations, as bytes; all but the first framed, as they are sent.
import type { EventFields } from '../core/caller-views.js';
import { IntrospectdError } from '../core/errors.js';
import { SEALED_TAG_BYTES } from '../core/tag-seal.js';
import type { Cursor } from '../core/token-store.js';
import type { ResetCause, WatchItem } from '../core/watcher.js';
import { WatchRevocationsRequest, WatchRevocationsResponse } from '../gen/introspectd/v1/introspection_service.js';
import { toGrpcFrame } from './grpc-frame.js';
import { createWireReader } from './wire-reader.js';

type Response = NonNullable<WatchRevocationsResponse['kind']>;

/** No store gives longer ones. */
const MAX_REVISION_LENGTH = 256;

const RESET_REASONS: Readonly<Record<ResetCause, string>> = {
  log: 'the server lost its place in the revocation log',
  revision: 'after_revision is not in the revocation log, or too far behind',
  queue: 'more revocations waited than limits.watch_queue allows',
  policy: 'the policy for the caller has changed',
};

/** Of the first message: what to go on after; undefined = from now. Throws REQUEST_INVALID. */
export function parseStart(bytes: Uint8Array | undefined): Cursor | undefined {
  const kind = bytes && decode(bytes);
  if (kind?.$case !== 'start') throw invalid('start', 'is required in the first message');
  const { afterRevision } = kind.value;
  if (afterRevision.length > MAX_REVISION_LENGTH) throw invalid('start.after_revision', 'is no revision: too long');
  return afterRevision === '' ? undefined : (afterRevision as Cursor);
}

/** Of every other message: the nonce. Throws REQUEST_INVALID. */
export function parseRenewal(bytes: Uint8Array): bigint {
  const kind = decode(bytes);
  if (kind?.$case !== 'renew') throw invalid('renew', 'is required in every message after the first');
  return kind.value.nonce;
}

export function encodeStarted(revision: Cursor): Buffer {
  const kind: Response = { $case: 'started', value: { revision, tagBytes: SEALED_TAG_BYTES } };
  return Buffer.from(WatchRevocationsResponse.encode({ kind }).finish());
}

export function encodeEvents({ tags, beforeMs, revision }: EventFields): Buffer {
  const events = beforeMs.map((before, index) => ({
    tag: Buffer.from(tags.buffer, tags.byteOffset + index * SEALED_TAG_BYTES, SEALED_TAG_BYTES),
    beforeMs: BigInt(before),
  }));
  return toFrame({ $case: 'events', value: { events, revision } });
}

/** `nowMs` is the time of the server, ms since the epoch. */
export function encodeWatchItem(item: WatchItem, nowMs: number): Buffer {
  switch (item.kind) {
    case 'events':
      return item.events.message;
    case 'reset':
      return toFrame({ $case: 'reset', value: { reason: RESET_REASONS[item.cause], revision: item.revision } });
    case 'renewed': {
      const { nonce, leaseMs, revision } = item;
      const value = { nonce, leaseMs: BigInt(leaseMs), revision, serverTimeMs: BigInt(nowMs) };
      return toFrame({ $case: 'renewed', value });
    }
  }
}

function decode(bytes: Uint8Array): WatchRevocationsRequest['kind'] {
  try {
    return WatchRevocationsRequest.decode(createWireReader(bytes)).kind;
  } catch {
    throw new IntrospectdError('REQUEST_INVALID', 'the request is not a message of this method');
  }
}

function toFrame(kind: Response): Buffer {
  return toGrpcFrame(WatchRevocationsResponse.encode({ kind }).finish());
}

function invalid(field: string, description: string): IntrospectdError {
  return new IntrospectdError('REQUEST_INVALID', 'the request has faults', [{ field, description }]);
}
