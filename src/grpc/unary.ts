// grpc-js callback -> promise. In order: room, identity, caller, permission, decoding, and only then the handler.
import type { handleUnaryCall } from '@grpc/grpc-js';
import { type CallLifetime, createCallLifetime } from './call-lifetime.js';
import type { Abandon, InFlight } from './in-flight.js';
import { type CallDeps, decodeRequest, type Settlement, type UnaryCall, type UnaryMethod } from './method.js';
import { readRequestId } from './request-id.js';
import { createTrailer, toCodeName, toServiceError } from './status.js';

type Unary = handleUnaryCall<Buffer, Buffer>;
type Call = Parameters<Unary>[0];
type Callback = Parameters<Unary>[1];

export type UnaryAdapter = <Request, Result>(method: UnaryMethod<Request, Result>) => Unary;

export function createUnaryAdapter(deps: CallDeps): UnaryAdapter {
  return (method) => (call, callback) => {
    const reply = createReply(readRequestId(call.metadata), callback);
    // run() catches what handlers throw; this is for a fault in a record, which must not leave a call unanswered.
    run(deps, method, call, reply).catch(reply.fail);
  };
}

async function run<Request, Result>(
  deps: CallDeps,
  method: UnaryMethod<Request, Result>,
  call: Call,
  reply: Reply,
): Promise<void> {
  const startedMs = performance.now();
  const settlement: Settlement<Request, Result> = {
    requestId: reply.requestId,
    caller: undefined,
    request: undefined,
    result: undefined,
    error: undefined,
  };
  let lifetime: CallLifetime | undefined;
  let answer: Buffer | undefined;
  const place = createPlace((error) => {
    lifetime?.end(error);
    reply.fail(error);
  });
  try {
    place.moveTo(deps.inFlight);
    const caller = deps.findCaller(call);
    settlement.caller = caller;
    method.authorize(caller);
    lifetime = createCallLifetime(call, reply.fail);
    const end = lifetime.findEnd();
    if (end !== undefined) throw end;
    const request = decodeRequest(method, call.request);
    settlement.request = request;
    const { requestId } = reply;
    const { moveTo } = place;
    const result = await method.handle(toUnaryCall({ caller, request, requestId, moveTo }, lifetime));
    settlement.result = result;
    answer = method.encode(result, { caller, request });
  } catch (error) {
    settlement.error = error ?? new Error('nothing was thrown');
  } finally {
    lifetime?.stop();
    place.leave();
  }
  method.record.audit?.(settlement);
  if (answer === undefined) reply.fail(settlement.error);
  else reply.succeed(answer);
  const error = reply.told() ?? (call.cancelled ? lifetime?.findEnd() : undefined);
  const settled = { code: toCodeName(error), error, caller: settlement.caller?.name };
  const durationMs = performance.now() - startedMs;
  deps.observer.observe({ path: call.getPath(), ...settled, durationMs });
  if (error === undefined && !deps.callLog.writesSuccesses()) return;
  deps.callLog.write({
    method: method.name,
    ...settled,
    requestId: reply.requestId,
    durationMs,
    facts: settlement.request === undefined ? {} : method.record.describe(settlement.request),
  });
}

function toUnaryCall<Request>(
  known: Pick<UnaryCall<Request>, 'caller' | 'request' | 'requestId' | 'moveTo'>,
  lifetime: CallLifetime,
): UnaryCall<Request> {
  return {
    ...known,
    deadlineMs: lifetime.deadlineMs,
    extend: lifetime.extend,
    get signal() {
      return lifetime.signal;
    },
  };
}

/** The one room that a call takes a place in. */
interface Place {
  /** Throws OVERLOADED, and stays where it was. */
  moveTo(room: InFlight): void;
  leave(): void;
}

function createPlace(abandon: Abandon): Place {
  let leave: (() => void) | undefined;
  return {
    moveTo: (room) => {
      const left = leave;
      leave = room.enter(abandon);
      left?.();
    },
    leave: () => leave?.(),
  };
}

/** Answers a call at most once: the deadline and a drain answer while the handler still runs. */
interface Reply {
  readonly requestId: string;
  succeed(bytes: Buffer): void;
  fail(error: unknown): void;
  /** The error that the caller was told; undefined = OK, or nothing yet. */
  told(): unknown;
}

function createReply(requestId: string, callback: Callback): Reply {
  let isSent = false;
  let told: unknown;
  return {
    requestId,
    succeed: (bytes) => {
      if (isSent) return;
      isSent = true;
      callback(null, bytes, createTrailer(requestId));
    },
    fail: (error) => {
      if (isSent) return;
      isSent = true;
      told = error;
      callback(toServiceError(error, requestId));
    },
    told: () => told,
  };
}
