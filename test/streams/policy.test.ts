// The policy of a stream that runs: whoever may no longer ask is told so at the next chunk.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status as Code, type ServiceError } from '@grpc/grpc-js';
import { readDetails } from '../grpc/ask.js';
import { toChunk } from '../support/chunk-stream.js';
import { createTestPolicy, startTestServer } from '../support/start-server.js';

test('a stream of chunks ends at the first chunk that the policy no longer allows', async () => {
  const [allowed, denied] = [createTestPolicy(), createTestPolicy([])];
  let policy = allowed;
  await using server = await startTestServer({ policy: () => policy });
  const { introspection } = await server.connectAs('orders');
  const call = introspection.streamIntrospect();
  const next = () => new Promise<{ chunkId: number }>((resolve) => call.once('data', resolve));
  const ended = new Promise<ServiceError>((resolve) => call.once('error', resolve));
  for (const id of [1, 2]) {
    const answer = next();
    call.write(toChunk(id, ['good']));
    assert.equal((await answer).chunkId, id);
  }
  policy = denied;
  call.write(toChunk(3, ['good']));
  const error = await ended;
  assert.deepEqual([error.code, readDetails(error.metadata).reason], [Code.PERMISSION_DENIED, 'PERMISSION_MISSING']);
});
