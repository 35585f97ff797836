import assert from 'node:assert/strict';
import { test } from 'node:test';
import { introspectCall, registerCall } from '../../bench/corpus.js';
import { fromGrpcFrame } from '../../bench/grpc-frame.js';
import { createNumberedBody } from '../../bench/numbered-body.js';
import { IntrospectRequest } from '../../src/gen/introspectd/v1/introspection_service.js';
import { RegisterTokensRequest } from '../../src/gen/introspectd/v1/token_registry_service.js';
import { toGrpcFrame } from '../../src/grpc/grpc-frame.js';

test('every call asks about another token', () => {
  const { frame, numbering } = introspectCall();
  const next = createNumberedBody(Buffer.from(frame), numbering);
  const tokens = [next(), next(), next()].map((body) => IntrospectRequest.decode(fromGrpcFrame(body)).token);
  assert.deepEqual(
    tokens.map((token) => /\d{10}/.exec(token)?.[0]),
    ['0000000000', '0000007919', '0000015838'],
  );
});

test('an entry has its number in its token and its claims', () => {
  const { frame, numbering } = registerCall(2, { first: 10, count: 100 });
  const next = createNumberedBody(Buffer.from(frame), numbering);
  const entries = [next(), next()].flatMap((body) => RegisterTokensRequest.decode(fromGrpcFrame(body)).entries);
  const numbers = entries.map(({ credential, claims }) =>
    [credential?.value, claims?.sub, claims?.jti].map((text) => Number(/\d{10}/.exec(String(text))?.[0])),
  );
  assert.deepEqual(
    numbers,
    [10, 11, 12, 13].map((number) => [number, number, number]),
  );
});

test('numbers start over at the end of their range', () => {
  const numbering = { slotsPerNumber: 1, first: 5, stride: 1, size: 2 };
  const next = createNumberedBody(Buffer.from('<0000000000>'), numbering);
  assert.deepEqual([next(), next(), next()].map(String), ['<0000000005>', '<0000000006>', '<0000000005>']);
});

test('a frame in parts is not taken for an answer', () => {
  const frame = toGrpcFrame(Buffer.from('answer'));
  assert.equal(fromGrpcFrame(frame).toString(), 'answer');
  assert.throws(() => fromGrpcFrame(frame.subarray(0, 8)));
  assert.throws(() => fromGrpcFrame(Buffer.alloc(0)));
});
