import { GRPC_FRAME_HEADER_BYTES } from '../src/grpc/grpc-frame.js';

/** The message of a frame that stands alone. Throws when it does not. */
export function fromGrpcFrame(frame: Buffer): Buffer {
  if (frame.length < GRPC_FRAME_HEADER_BYTES || frame.readUInt32BE(1) !== frame.length - GRPC_FRAME_HEADER_BYTES) {
    throw new Error('the answer is not one whole message');
  }
  return frame.subarray(GRPC_FRAME_HEADER_BYTES);
}
