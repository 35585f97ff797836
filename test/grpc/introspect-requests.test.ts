// The hand-written readers against the generated decoders: the same request, or a fault from both.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BatchIntrospectRequest, IntrospectRequest } from '../../src/gen/introspectd/v1/introspection_service.js';
import { decodeBatchIntrospectRequest, decodeIntrospectRequest } from '../../src/grpc/introspect-requests.js';
import { createWireReader } from '../../src/grpc/wire-reader.js';

// Lengths of one, two and three bytes; ASCII, what is beyond it, and what is none of either.
const text = fc.oneof(
  fc.string({ unit: 'binary-ascii', maxLength: 200 }),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.constantFrom('x'.repeat(127), 'x'.repeat(128), 'x'.repeat(16_383), 'x'.repeat(16_384)),
);
const audiences = fc.array(text, { maxLength: 3 });
const single: fc.Arbitrary<IntrospectRequest> = fc.record({
  token: text,
  tokenTypeHint: text,
  audiences,
  includeTags: fc.boolean(),
});
const items = fc.array(fc.record({ token: text, tokenTypeHint: text }), { maxLength: 5 });
const batch: fc.Arbitrary<BatchIntrospectRequest> = fc.record({ items, audiences, includeTags: fc.boolean() });

/** One byte made another, and the end cut off. */
const damage = fc.record({ at: fc.nat(300), byte: fc.nat(255), cut: fc.option(fc.nat(300), { nil: undefined }) });

const METHODS = [
  {
    name: 'IntrospectRequest',
    byHand: decodeIntrospectRequest,
    generated: (bytes: Uint8Array) => IntrospectRequest.decode(createWireReader(bytes)),
    encoded: single.map((request) => IntrospectRequest.encode(request).finish()),
  },
  {
    name: 'BatchIntrospectRequest',
    byHand: decodeBatchIntrospectRequest,
    generated: (bytes: Uint8Array) => BatchIntrospectRequest.decode(createWireReader(bytes)),
    encoded: batch.map((request) => BatchIntrospectRequest.encode(request).finish()),
  },
];

for (const { name, byHand, generated, encoded } of METHODS) {
  const check = (bytes: Uint8Array) => assert.deepEqual(outcomeOf(byHand, bytes), outcomeOf(generated, bytes));

  describe(name, () => {
    it('as clients send it, and sent in parts', () => {
      fc.assert(fc.property(encoded, check));
      fc.assert(fc.property(encoded, encoded, (one, other) => check(Buffer.concat([one, other]))));
    });

    it('damaged, and of any bytes', () => {
      fc.assert(
        fc.property(encoded, damage, (bytes, { at, byte, cut }) => {
          const damaged = Buffer.from(bytes);
          if (at < damaged.length) damaged[at] = byte;
          check(damaged.subarray(0, cut));
        }),
        { numRuns: 1000 },
      );
      fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), check), { numRuns: 1000 });
    });

    it('from the middle of a larger buffer', () => {
      fc.assert(
        fc.property(encoded, (bytes) => {
          const around = Buffer.concat([Buffer.alloc(3, 0x0a), bytes, Buffer.alloc(40, 0x0a)]);
          check(around.subarray(3, 3 + bytes.length));
        }),
      );
    });
  });
}

it('reads by hand what it is made for', () => {
  const token = 'x'.repeat(300);
  const bytes = Buffer.from(
    IntrospectRequest.encode({ token, tokenTypeHint: '', audiences: ['a'], includeTags: true }).finish(),
  );
  const broken = Buffer.concat([bytes, Buffer.from([0x28, 1])]);
  const { decode } = IntrospectRequest;
  let generated = 0;
  IntrospectRequest.decode = (...args) => {
    generated++;
    return decode(...args);
  };
  try {
    assert.equal(decodeIntrospectRequest(bytes).token, token);
    assert.equal(generated, 0);
    assert.equal(decodeIntrospectRequest(broken).token, token);
    assert.equal(generated, 1);
  } finally {
    IntrospectRequest.decode = decode;
  }
});

function outcomeOf(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): unknown {
  try {
    return decode(bytes);
  } catch {
    return 'a fault';
  }
}
