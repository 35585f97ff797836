import { type Cipher, createCipheriv, hkdfSync } from 'node:crypto';

/** Tags as one caller sees them: 16 bytes for each 8, the same for the same tag, and unlike those of any other caller. */
export type TagSeal = (caller: string, tags: Uint8Array) => Buffer;

export const SEALED_TAG_BYTES = 16;
export const TAG_BYTES = 8;

/**
 * AES-128 of the tag, padded with zeros to its block, under a key of the caller. A permutation: equality is all that can be
 * seen, and two callers have nothing in common to compare. DESIGN §5.
 */
export function createTagSeal(tagKey: Uint8Array): TagSeal {
  // One for each name that a policy ever had; ECB keeps nothing between blocks, so one serves every answer.
  const ciphers = new Map<string, Cipher>();
  const findCipher = (caller: string): Cipher => {
    const known = ciphers.get(caller);
    if (known !== undefined) return known;
    const key = Buffer.from(hkdfSync('sha256', tagKey, '', `introspectd tags${caller}`, 16));
    const cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
    ciphers.set(caller, cipher);
    return cipher;
  };
  // Kept, so that the zeros are written once. Grows to what the largest batch needs.
  let blocks = Buffer.alloc(SEALED_TAG_BYTES);
  return (caller, tags) => {
    const length = (tags.length / TAG_BYTES) * SEALED_TAG_BYTES;
    if (blocks.length < length) blocks = Buffer.alloc(length);
    for (let tag = 0, block = 0; tag < tags.length; tag += TAG_BYTES, block += SEALED_TAG_BYTES) {
      for (let at = 0; at < TAG_BYTES; at++) blocks[block + at] = tags[tag + at] ?? 0;
    }
    // By way of a string: each buffer that a cipher makes is memory outside the heap, dear to collect.
    return Buffer.from(findCipher(caller).update(blocks.subarray(0, length), undefined, 'latin1'), 'latin1');
  };
}
