// StreamIntrospect through a daemon over mutual TLS, on each engine that several daemons can share.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AUDIENCE, ISSUER } from '../cases/introspect-cases.js';
import { openIntrospectStream, toChunk } from '../support/chunk-stream.js';
import { CALLERS, startTestDaemon } from '../support/daemon.js';

const JOB = { name: 'job', permissions: ['stream', 'batch'], issuers: [ISSUER], audiences: [AUDIENCE] };

describe('StreamIntrospect', () => {
  it('answers', async () => {
    const daemon = await startTestDaemon({ callers: [...CALLERS, JOB] });
    await daemon.register([{ token: 'good' }]);
    const stream = openIntrospectStream({ target: daemon.process.target, tls: daemon.workspace.tls('job') });
    for (let id = 0; id < 50; id++)
      stream.send(
        toChunk(
          id,
          Array.from({ length: 1000 }, (_, i) => (i % 2 ? 'good' : 'bad')),
        ),
      );
    stream.halfClose();
    assert.deepEqual(await stream.ended, { code: 'OK', reason: undefined, fields: [] });
    assert.deepEqual(
      stream.messages.map(({ chunkId }) => chunkId),
      Array.from({ length: 50 }, (_, i) => i),
    );
    const [first] = stream.messages;
    assert.equal(first?.outcome?.$case, 'batch');
    stream.close();
    await daemon.stop();
  });
});
