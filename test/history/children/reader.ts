// Asks about tokens that live, that are being revoked and that were just revoked, at all daemons at once.
import type { IntrospectResponse } from '@introspectd/client/gen/introspectd/v1/introspection_service';
import { call, connectTo, toAnswer } from '../calls.js';
import { openChildChannel, pause } from '../child-channel.js';
import { monotonicMs } from '../history.js';
import { describeToken } from '../tokens.js';

const PAUSE_MS = 120;
/** A daemon that is not there is not asked without end. */
const DOUBT_PAUSE_MS = 400;
const TIMEOUT_MS = 1000;
const BATCH = 12;

const channel = openChildChannel();
const { setup, known } = channel;
let doubts = 0;

await channel.run(setup.targets.map(read), () => ({ 'calls without an answer': doubts }));

async function read(target: string): Promise<void> {
  const client = connectTo(target, setup.tls);
  const ask = async (ids: readonly number[]): Promise<readonly (IntrospectResponse | undefined)[]> => {
    const [first = 0] = ids;
    if (ids.length === 1) {
      const request = { token: describeToken(first).token, tokenTypeHint: '', audiences: [], includeTags: false };
      return [await call(client.introspect.bind(client), request, TIMEOUT_MS)];
    }
    const items = ids.map((id) => ({ token: describeToken(id).token, tokenTypeHint: '' }));
    const request = { items, audiences: [], includeTags: false };
    const response = await call(client.batchIntrospect.bind(client), request, TIMEOUT_MS);
    return ids.map((_, index) => {
      const outcome = response?.results[index]?.outcome;
      if (outcome?.$case === 'error') throw new Error(`item ${index} failed: ${outcome.value.message}`);
      return outcome?.value;
    });
  };
  while (!channel.stopped) {
    const length = Math.random() < 0.5 ? 1 : BATCH;
    const ids = Array.from({ length }, known.pick).filter((id) => id !== undefined);
    let hasAnswer = true;
    if (ids.length > 0) {
      const invokeMs = monotonicMs();
      const responses = await ask(ids);
      const returnMs = monotonicMs();
      const answers = responses.map((response, index) => (response ? toAnswer(ids[index] ?? 0, response) : 'error'));
      hasAnswer = !answers.includes('error');
      if (!hasAnswer) doubts += 1;
      channel.record(
        answers.map((answer, index) => ({ token: ids[index] ?? 0, invokeMs, returnMs, answer, from: 'server' })),
      );
    }
    await pause(hasAnswer ? PAUSE_MS : DOUBT_PAUSE_MS);
  }
  client.close();
}
