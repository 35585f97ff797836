import type { ServerDuplexStream } from '@grpc/grpc-js';

/** Undefined when the client has no more to say, or the signal is aborted. */
export function nextMessage(
  call: ServerDuplexStream<Buffer, Buffer>,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
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
