// Numbers of entries, as every read of the store needs them: Buffer's own readers check and switch at each call, which
// together was a twentieth of a batch (docs/adr/0028). Whoever calls these has looked at the length: beyond the end are zeros.

export function readUint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

export function readUint24(bytes: Uint8Array, at: number): number {
  return (readUint16(bytes, at) << 8) | (bytes[at + 2] ?? 0);
}

/** 5 bytes. */
export function readSeconds(bytes: Uint8Array, at: number): number {
  return readUint24(bytes, at) * 0x1_0000 + readUint16(bytes, at + 3);
}

/** 6 bytes. */
export function readMs(bytes: Uint8Array, at: number): number {
  return readUint24(bytes, at) * 0x100_0000 + readUint24(bytes, at + 3);
}
