import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import type { Digest } from '../../src/core/key-ring.js';
import { writeDigestBytes } from '../../src/store/digest-bytes.js';

it('a digest is written as Buffer would write it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      const key = Buffer.alloc(16, 0xff);
      writeDigestBytes(key, Buffer.from(bytes).toString('base64url') as Digest);
      assert.deepEqual(key, Buffer.from(bytes));
    }),
  );
});
