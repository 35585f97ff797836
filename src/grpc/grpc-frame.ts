/** Before every message: compressed or not, and its length. */
export const GRPC_FRAME_HEADER_BYTES = 5;

/** A message as it stands on the wire: flag "not compressed", length, message. */
export function toGrpcFrame(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(GRPC_FRAME_HEADER_BYTES + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, GRPC_FRAME_HEADER_BYTES);
  return frame;
}
