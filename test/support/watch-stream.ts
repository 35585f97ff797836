// A client of WatchRevocations that keeps what it is told, message by message.
import assert from 'node:assert/strict';
import { status as Code, type ServiceError } from '@grpc/grpc-js';
import {
  IntrospectionServiceClient,
  type WatchRevocationsRequest,
  type WatchRevocationsResponse,
} from '../../src/gen/introspectd/v1/introspection_service.js';
import { readDetails } from '../grpc/ask.js';
import { createTestCredentials, type TestTls } from './test-credentials.js';

export type WatchMessage = NonNullable<WatchRevocationsResponse['kind']>;

export interface WatchEnd {
  /** Name of the gRPC code. */
  readonly code: string;
  readonly reason: string | undefined;
  readonly fields: readonly string[];
}

export interface TestWatch {
  start(afterRevision?: string): void;
  renew(nonce: number): void;
  send(request: WatchRevocationsRequest): void;
  halfClose(): void;
  /** Reads no more until resume(). */
  pause(): void;
  resume(): void;
  /** All that came, in order. */
  readonly messages: readonly WatchMessage[];
  /** Tags of all events so far, in hex, in order. */
  tags(): readonly string[];
  /** The next message that was not taken; fails after ten seconds. */
  next(): Promise<WatchMessage>;
  /** As next(), of messages of this kind; those before it are passed over. */
  nextOf<Case extends WatchMessage['$case']>(kind: Case): Promise<Extract<WatchMessage, { $case: Case }>['value']>;
  readonly ended: Promise<WatchEnd>;
  close(): void;
}

const BOUND_MS = 10_000;

export interface WatchRequest {
  readonly target: string;
  readonly tls: TestTls;
  readonly deadlineMs?: number;
}

export function openWatch({ target, tls, deadlineMs }: WatchRequest): TestWatch {
  const client = new IntrospectionServiceClient(target, createTestCredentials(tls), {
    'grpc.use_local_subchannel_pool': 1,
  });
  const call = client.watchRevocations(deadlineMs === undefined ? {} : { deadline: deadlineMs });
  const messages: WatchMessage[] = [];
  const tags: string[] = [];
  let taken = 0;
  let arrived = () => {};
  call.on('data', ({ kind }: WatchRevocationsResponse) => {
    assert.ok(kind, 'a message says what it is');
    messages.push(kind);
    if (kind.$case === 'events') tags.push(...kind.value.events.map(({ tag }) => tag.toString('hex')));
    arrived();
  });
  const ended = new Promise<WatchEnd>((resolve) => {
    call.on('error', (error: ServiceError) => {
      const { reason, fields } = readDetails(error.metadata);
      resolve({ code: Code[error.code] ?? 'none', reason, fields });
      arrived();
    });
    call.on('end', () => resolve({ code: 'OK', reason: undefined, fields: [] }));
  });
  const send = (request: WatchRevocationsRequest) => void call.write(request);

  const next = async (): Promise<WatchMessage> => {
    const endMs = performance.now() + BOUND_MS;
    for (;;) {
      const message = messages[taken];
      if (message !== undefined) {
        taken += 1;
        return message;
      }
      if (performance.now() > endMs) assert.fail(`no message within ${BOUND_MS} ms`);
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        arrived = resolve;
        timer = setTimeout(resolve, 100);
      });
      clearTimeout(timer);
    }
  };

  return {
    start: (afterRevision = '') => send({ kind: { $case: 'start', value: { afterRevision } } }),
    renew: (nonce) => send({ kind: { $case: 'renew', value: { nonce: BigInt(nonce) } } }),
    send,
    halfClose: () => call.end(),
    pause: () => void call.pause(),
    resume: () => void call.resume(),
    messages,
    tags: () => tags,
    next,
    nextOf: async (kind) => {
      for (;;) {
        const message = await next();
        if (message.$case === kind) return message.value as never;
      }
    },
    ended,
    close: () => {
      call.cancel();
      client.close();
    },
  };
}
