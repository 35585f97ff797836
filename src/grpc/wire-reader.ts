import { BinaryReader } from '@bufbuild/protobuf/wire';

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** For requests: text that is not UTF-8 is a fault, where the reader's own decoder would put U+FFFD in its place. */
export function createWireReader(bytes: Uint8Array): BinaryReader {
  return new BinaryReader(bytes, (text) => strict.decode(text));
}
