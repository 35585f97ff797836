// One answer of each kind, looked at before anything is measured: rates of wrong answers are worth nothing.
import { CheckResponse } from '../src/gen/envoy/service/auth/v3/external_auth.js';
import { BatchIntrospectResponse, IntrospectResponse } from '../src/gen/introspectd/v1/introspection_service.js';
import { RegisterTokensResponse } from '../src/gen/introspectd/v1/token_registry_service.js';
import { batchCall, checkCall, introspectCall, introspectWithTagsCall, registerCall } from './corpus.js';
import { fromGrpcFrame } from './grpc-frame.js';
import type { LoadCall } from './http2-load.js';
import type { CallerName, Site } from './site.js';

export const BATCH_TOKENS = 1000;
export const REGISTER_TOKENS = 100;

/** Bytes of an answer, unframed. */
export interface AnswerBytes {
  readonly whole: number;
  readonly filtered: number;
  readonly batch: number;
  readonly check: number;
  /** The whole one itself, and that to an allowed Check. */
  readonly samples: { readonly whole: Buffer; readonly check: Buffer };
}

/** Throws unless every token is active and the caller sees what it should. */
export async function checkAnswers(site: Site): Promise<AnswerBytes> {
  const whole = await ask(site, 'whole', introspectCall());
  const filtered = await ask(site, 'filtered', introspectCall());
  const batch = await ask(site, 'whole', batchCall(BATCH_TOKENS));
  const checked = await ask(site, 'proxy', checkCall());
  const register = await ask(site, 'issuer', registerCall(REGISTER_TOKENS));

  const tagged = IntrospectResponse.decode(await ask(site, 'whole', introspectWithTagsCall()));
  check(tagged.active && tagged.tags.length > 0, 'a caller that may watch gets the tags of the token');

  const [all, some] = [IntrospectResponse.decode(whole), IntrospectResponse.decode(filtered)];
  check(all.active && all.claims?.jti !== undefined, 'the token is active and shows its jti');
  check(some.active && some.claims?.jti === undefined, 'a caller with fewer claims sees no jti');
  const { results } = BatchIntrospectResponse.decode(batch);
  const active = results.filter(({ outcome }) => outcome?.$case === 'response' && outcome.value.active);
  check(active.length === BATCH_TOKENS, 'all tokens of a batch are active');
  const outcomes = RegisterTokensResponse.decode(register).results;
  check(
    outcomes.every(({ status }) => (status?.code ?? 0) === 0),
    'all entries are registered',
  );
  check(CheckResponse.decode(checked).httpResponse?.$case === 'okResponse', 'a Check is allowed');
  const samples = { whole, check: checked };
  return { whole: whole.length, filtered: filtered.length, batch: batch.length, check: checked.length, samples };
}

async function ask(site: Site, caller: CallerName, call: LoadCall): Promise<Buffer> {
  const generator = await site.startLoad(caller, call, { connections: 1, streams: 1 });
  try {
    return fromGrpcFrame(await generator.send(1));
  } finally {
    await generator.stop();
  }
}

function check(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(`not as it should be: ${what}`);
}
