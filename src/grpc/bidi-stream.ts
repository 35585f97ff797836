// grpc-js duplex stream -> one answer for each message, in order: the next is read when the answer before it has gone
// out, so a client that does not read is not read from either.
import type { handleBidiStreamingCall } from '@grpc/grpc-js';
import { type CallDeps, decodeRequest, type Method } from './method.js';
import { runStream } from './stream-call.js';

type BidiStream = handleBidiStreamingCall<Buffer, Buffer>;
type Call = Parameters<BidiStream>[0];

export interface BidiMethod<Request> extends Method<Request> {
  /** Encoded. May throw, which ends the stream. */
  answer(request: Request): Buffer;
}

export type BidiStreamAdapter = <Request>(method: BidiMethod<Request>) => BidiStream;

export function createBidiStreamAdapter(deps: CallDeps): BidiStreamAdapter {
  return (method) => (call) => {
    void runStream(deps, call, {
      name: method.name,
      authorize: (caller) => method.authorize(caller),
      serve: async ({ signal, admit, send }) => {
        admit();
        for (;;) {
          const message = await nextMessage(call, signal);
          if (message === undefined) return;
          // Again: the policy may be another by now.
          admit();
          await send(method.answer(decodeRequest(method, message)));
        }
      },
    });
  };
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
