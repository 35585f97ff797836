// grpc-js writable stream -> async iterable: the same checks as unary.ts, and nothing is asked of the handler while the
// client does not read.
import { once } from 'node:events';
import type { handleServerStreamingCall } from '@grpc/grpc-js';
import { type CallDeps, decodeRequest, type ServerStreamMethod } from './method.js';
import { readRequestId } from './request-id.js';
import { createTrailer, toCodeName, toServiceError } from './status.js';

type ServerStream = handleServerStreamingCall<Buffer, Buffer>;
type Call = Parameters<ServerStream>[0];

export type ServerStreamAdapter = <Request>(method: ServerStreamMethod<Request>) => ServerStream;

export function createServerStreamAdapter(deps: CallDeps): ServerStreamAdapter {
  return (method) => (call) => {
    run(deps, method, call, readRequestId(call.metadata)).catch(() => call.destroy());
  };
}

async function run<Request>(deps: CallDeps, method: ServerStreamMethod<Request>, call: Call, requestId: string) {
  const startedMs = performance.now();
  const stop = new AbortController();
  let error: unknown;
  let leave: (() => void) | undefined;
  let callerName: string | undefined;
  call.once('cancelled', () => stop.abort());
  try {
    leave = deps.inFlight.enter((reason) => {
      error = reason;
      stop.abort();
    });
    const caller = deps.findCaller(call);
    callerName = caller.name;
    method.authorize(caller);
    const request = decodeRequest(method, call.request);
    for await (const message of method.handle({ caller, request, requestId, signal: stop.signal })) {
      if (stop.signal.aborted) break;
      if (!call.write(message)) await once(call, 'drain', { signal: stop.signal });
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
