// grpc-js duplex stream -> one answer for each message, in order: the next is read when the answer before it has gone
// out, so a client that does not read is not read from either. The same checks as unary.ts.
import { once } from 'node:events';
import type { handleBidiStreamingCall } from '@grpc/grpc-js';
import { type CallDeps, decodeRequest, type Method } from './method.js';
import { readRequestId } from './request-id.js';
import { createTrailer, toCodeName, toServiceError } from './status.js';

type BidiStream = handleBidiStreamingCall<Buffer, Buffer>;
type Call = Parameters<BidiStream>[0];

export interface BidiMethod<Request> extends Method<Request> {
  /** Encoded. May throw, which ends the stream. */
  answer(request: Request): Buffer;
}

export type BidiStreamAdapter = <Request>(method: BidiMethod<Request>) => BidiStream;

export function createBidiStreamAdapter(deps: CallDeps): BidiStreamAdapter {
  return (method) => (call) => {
    run(deps, method, call, readRequestId(call.metadata)).catch(() => call.destroy());
  };
}

async function run<Request>(deps: CallDeps, method: BidiMethod<Request>, call: Call, requestId: string) {
  const startedMs = performance.now();
  const stop = new AbortController();
  let error: unknown;
  let leave: (() => void) | undefined;
  let callerName: string | undefined;
  const admit = () => {
    const caller = deps.findCaller(call);
    callerName = caller.name;
    method.authorize(caller);
  };
  call.once('cancelled', () => stop.abort());
  try {
    leave = deps.inFlight.enter((reason) => {
      error = reason;
      stop.abort();
    });
    admit();
    for (;;) {
      const message = await nextMessage(call, stop.signal);
      if (message === undefined) break;
      // Again: the policy may be another by now.
      admit();
      if (!call.write(method.answer(decodeRequest(method, message))))
        await once(call, 'drain', { signal: stop.signal });
    }
  } catch (thrown) {
    // An aborted wait is the end that was asked for; why is in `error` already.
    if (!stop.signal.aborted) error = thrown ?? new Error('nothing was thrown');
  } finally {
    leave?.();
  }
  if (!call.cancelled) {
    if (error === undefined) call.end(createTrailer(requestId));
    else call.emit('error', toServiceError(error, requestId));
  }
  const settled = { code: toCodeName(error), error, caller: callerName, durationMs: performance.now() - startedMs };
  deps.observer.observe({ path: call.getPath(), ...settled });
  if (error === undefined && !deps.callLog.writesSuccesses()) return;
  deps.callLog.write({ method: method.name, ...settled, requestId, facts: {} });
}

/** Undefined when the client has no more to ask, or the signal is aborted. */
function nextMessage(call: Call, signal: AbortSignal): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const look = () => {
      const message: Buffer | null = signal.aborted ? null : call.read();
      if (message !== null) finish(message);
      else if (call.readableEnded || signal.aborted) finish(undefined);
    };
    const finish = (message: Buffer | undefined) => {
      call.off('readable', look).off('end', look);
      signal.removeEventListener('abort', look);
      resolve(message);
    };
    call.on('readable', look).on('end', look);
    signal.addEventListener('abort', look);
    look();
  });
}
