import { BinaryReader } from '@bufbuild/protobuf/wire';
import { StoreUnavailable } from '../core/errors.js';

/**
 * Stored TokenClaims without the fields that a presence mask does not have. Copies whole fields in their order, which
 * is what decoding, dropping and encoding again would give, because we encoded them. Throws StoreUnavailable on bytes
 * that cannot be read: a doubt is not an answer.
 */
export function filterClaims(claims: Uint8Array, visibleMask: number): Uint8Array {
  const visible: Uint8Array[] = [];
  try {
    const reader = new BinaryReader(claims);
    while (reader.pos < reader.len) {
      const start = reader.pos;
      const [field, wireType] = reader.tag();
      reader.skip(wireType, field);
      if (field < 32 && (visibleMask & (1 << field)) !== 0) visible.push(claims.subarray(start, reader.pos));
    }
  } catch (cause) {
    throw new StoreUnavailable('the claims of a record cannot be read', { cause });
  }
  return Buffer.concat(visible);
}
