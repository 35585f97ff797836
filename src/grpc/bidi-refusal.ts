// The streams that this version does not serve yet: the caller is checked all the same, then told UNIMPLEMENTED.
import type { handleBidiStreamingCall } from '@grpc/grpc-js';
import { IntrospectdError } from '../core/errors.js';
import type { CallDeps, Method } from './method.js';
import { readRequestId } from './request-id.js';
import { toCodeName, toServiceError } from './status.js';

export type BidiRefusal = (
  method: Pick<Method<never>, 'name' | 'authorize'>,
) => handleBidiStreamingCall<Buffer, Buffer>;

export function createBidiRefusal({ findCaller, callLog, observer }: CallDeps): BidiRefusal {
  return ({ name, authorize }) =>
    (call) => {
      const startedMs = performance.now();
      const requestId = readRequestId(call.metadata);
      let caller: string | undefined;
      let error: unknown = new IntrospectdError('NOT_SUPPORTED', 'this version does not serve the method');
      try {
        const found = findCaller(call);
        caller = found.name;
        authorize(found);
      } catch (thrown) {
        error = thrown;
      }
      call.emit('error', toServiceError(error, requestId));
      const settled = { code: toCodeName(error), error, caller, durationMs: performance.now() - startedMs };
      observer.observe({ path: call.getPath(), ...settled });
      callLog.write({ method: name, ...settled, requestId, facts: {} });
    };
}
