// What a service says of one of its methods; the adapters (unary.ts, server-stream.ts, bidi-stream.ts, chunk-stream.ts) do the rest.
import { IntrospectdError } from '../core/errors.js';
import { type Caller, type Permission, requirePermission } from '../core/policy.js';
import type { CallFacts, CallLog } from '../telemetry/call-log.js';
import type { CallObserver } from '../telemetry/call-metrics.js';
import type { InFlight } from './in-flight.js';
import type { CallerFinder } from './peer.js';

/** What an adapter needs. */
export interface CallDeps {
  readonly findCaller: CallerFinder;
  readonly inFlight: InFlight;
  readonly callLog: CallLog;
  readonly observer: Pick<CallObserver, 'observe' | 'observeChunk'>;
}

/** Requests and answers are bytes to grpc-js: nothing is decoded before the caller is known and allowed. */
export interface Method<Request> {
  /** As in logs. */
  readonly name: string;
  /** Throws PERMISSION_MISSING. */
  authorize(caller: Caller): void;
  /** May throw anything. */
  decode(bytes: Uint8Array): Request;
}

export interface UnaryMethod<Request, Result> extends Method<Request> {
  handle(call: UnaryCall<Request>): Promise<Result>;
  encode(result: Result, call: Pick<UnaryCall<Request>, 'caller' | 'request'>): Buffer;
  /** Where the method has less time than MAX_CALL_MS; what comes later is DEADLINE, and no answer leaves after it. */
  readonly budgetMs?: number;
  /**
   * What to answer in place of an error, for protocols where a gRPC error is not a refusal. Undefined = the error. The
   * log and the metrics of calls have the error all the same.
   */
  answerFailure?(error: unknown, caller: Caller | undefined): Buffer | undefined;
  readonly record: MethodRecord<Request, Result>;
}

export interface MethodRecord<Request, Result> {
  /** Asked only when a record is written. */
  describe(request: Request): CallFacts;
  /** Writes the audit record, before the answer goes out. Never throws: a lost record must not hold back an answer. */
  audit?(settlement: Settlement<Request, Result>): void;
}

export interface ServerStreamMethod<Request> extends Method<Request> {
  /** Its messages, encoded. Ends early when the signal says so. */
  handle(call: StreamCall<Request>): AsyncIterable<Buffer>;
}

export interface StreamCall<Request> {
  readonly caller: Caller;
  readonly request: Request;
  readonly requestId: string;
  /** Aborted when the client cancelled or the deadline passed. */
  readonly signal: AbortSignal;
}

export interface UnaryCall<Request> extends StreamCall<Request> {
  /** Milliseconds since the epoch. */
  readonly deadlineMs: number;
  /** For a call that waits on purpose: from now on it takes room there, and none where it came in. Throws OVERLOADED. */
  moveTo(room: InFlight): void;
  /** For the same: the bound of a call whose client set none, or a later one, is so much later. */
  extend(ms: number): void;
}

/** How a call went; what is undefined was never reached. */
export interface Settlement<Request, Result> {
  readonly requestId: string;
  caller: Caller | undefined;
  request: Request | undefined;
  result: Result | undefined;
  /** Undefined = OK. */
  error: unknown;
}

/** For Method.authorize. */
export function needs(permission: Permission): (caller: Caller) => void {
  return (caller) => requirePermission(caller, permission);
}

/** Throws REQUEST_INVALID: what a decoder says of bytes is not for the wire. */
export function decodeRequest<Request>(method: Pick<Method<Request>, 'decode'>, bytes: Uint8Array): Request {
  try {
    return method.decode(bytes);
  } catch {
    throw new IntrospectdError('REQUEST_INVALID', 'the request is not a message of this method');
  }
}
