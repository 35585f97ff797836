// One WatchRevocations call, from its start to its end. What comes after its end is for whoever opened it.
import { type ClientDuplexStream, Metadata, type ServiceError } from '@grpc/grpc-js';
import { malformed } from './claims.js';
import type {
  IntrospectionServiceClient,
  WatchEvents,
  WatchRenewed,
  WatchReset,
  WatchRevocationsRequest,
  WatchRevocationsResponse,
} from './gen/introspectd/v1/introspection_service.js';
import { IntrospectionError } from './introspection-error.js';
import { toIntrospectionError } from './status-error.js';

/** Length of a tag. */
export const TAG_BYTES = 16;

export interface WatchListener {
  /** The watch stands and begins after this revision. Grants no lease. */
  started(revision: string): void;
  revoked(events: WatchEvents): void;
  renewed(lease: WatchRenewed): void;
  reset(reset: WatchReset): void;
  /** Last of all, once; never after cancel(). */
  ended(error: IntrospectionError): void;
}

export interface WatchStream {
  renew(nonce: bigint): void;
  /** Nothing more is heard of it. */
  cancel(): void;
  /** Lets nothing more through until resume(): the server waits, and resets the watch when it has waited too long. */
  pause(): void;
  resume(): void;
}

/** `afterRevision` of "" begins now. */
export function openWatch(
  raw: IntrospectionServiceClient,
  afterRevision: string,
  listener: WatchListener,
): WatchStream {
  // No deadline: a watch ends when its connection does, or when the client says so.
  const stream: ClientDuplexStream<WatchRevocationsRequest, WatchRevocationsResponse> = raw.watchRevocations(
    new Metadata(),
  );
  let isOver = false;

  function end(error: IntrospectionError): void {
    if (isOver) return;
    isOver = true;
    stream.cancel();
    listener.ended(error);
  }

  stream.on('data', (message: WatchRevocationsResponse) => {
    if (isOver) return;
    const fault = hear(message, listener);
    if (fault !== undefined) end(fault);
  });
  stream.on('error', (error: ServiceError) => end(toIntrospectionError(error)));
  stream.on('end', () => end(new IntrospectionError('UNAVAILABLE', 'the server ended the watch')));
  stream.write({ kind: { $case: 'start', value: { afterRevision } } });

  return {
    renew: (nonce) => {
      if (!isOver) stream.write({ kind: { $case: 'renew', value: { nonce } } });
    },
    cancel: () => {
      isOver = true;
      stream.cancel();
    },
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
  };
}

/** What is wrong with the message. One that this version does not know may say anything, so it ends the watch too. */
function hear({ kind }: WatchRevocationsResponse, listener: WatchListener): IntrospectionError | undefined {
  switch (kind?.$case) {
    case 'started':
      if (kind.value.tagBytes !== TAG_BYTES) return malformed('tags of a length that this version does not know');
      listener.started(kind.value.revision);
      return undefined;
    case 'events':
      if (kind.value.events.some(({ tag }) => tag.length !== TAG_BYTES)) return malformed('a tag of a wrong length');
      listener.revoked(kind.value);
      return undefined;
    case 'renewed':
      listener.renewed(kind.value);
      return undefined;
    case 'reset':
      listener.reset(kind.value);
      return undefined;
    default:
      return malformed('a watch message that this version does not know');
  }
}
