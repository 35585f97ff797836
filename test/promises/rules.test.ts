// The rules, row by row, through the doors of a real daemon: Introspect, BatchIntrospect and StreamIntrospect.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { IntrospectionResult } from '@introspectd/client';
import { AUDIENCE, INTROSPECT_CASES, type IntrospectCase, ISSUER } from '../cases/introspect-cases.js';
import { toOutcome } from '../streams/stage.js';
import { openIntrospectStream } from '../support/chunk-stream.js';
import { CALLERS, startTestDaemon, type TestDaemon } from '../support/daemon.js';

// One caller for every set of permissions that a row asks for, once plain and once with "explain".
const CALLER_OF_ROW = INTROSPECT_CASES.map((_, index) => ({ plain: `plain-${index}`, explains: `explains-${index}` }));

describe('the rules, through the doors of a daemon', () => {
  let daemon: TestDaemon;
  before(async () => {
    const callers = INTROSPECT_CASES.flatMap(({ caller }, index) => {
      const rule = {
        issuers: [ISSUER],
        audiences: caller?.audiences ?? [AUDIENCE],
        ...(caller?.tokenUse ? { token_use: caller.tokenUse } : {}),
      };
      const names = CALLER_OF_ROW[index];
      return [
        { ...rule, name: names?.plain ?? '', permissions: ['introspect', 'batch', 'stream'] },
        { ...rule, name: names?.explains ?? '', permissions: ['introspect', 'batch', 'explain'] },
      ];
    });
    daemon = await startTestDaemon({ callers: [...CALLERS, ...callers] });
    await daemon.register(
      INTROSPECT_CASES.flatMap((row, index) => (row.token === undefined ? [] : [toTestToken(row, index)])),
    );
    for (const [index, row] of INTROSPECT_CASES.entries()) {
      if (row.revoked) await daemon.client('security').revoke(toToken(index));
    }
  });

  after(() => daemon.stop());

  for (const [index, row] of INTROSPECT_CASES.entries()) {
    const names = CALLER_OF_ROW[index] ?? { plain: '', explains: '' };
    const options = { audiences: row.audiences ?? [] };
    it(`${row.name}: ${row.expect}`, async () => {
      const [plain, explains] = [daemon.client(names.plain), daemon.client(names.explains)];
      const token = toToken(index);
      const answers = [await plain.introspect(token, options), ...(await plain.introspectMany([token], options))];
      const explained = [
        await explains.introspect(token, options),
        ...(await explains.introspectMany([token], options)),
      ];
      if (row.expect === 'active') {
        for (const answer of [...answers, ...explained]) assertActive(answer as IntrospectionResult);
      } else {
        for (const answer of answers) assert.deepEqual(answer, { active: false });
        for (const answer of explained) assert.deepEqual(answer, { active: false, inactive_reason: row.expect });
      }
      assert.deepEqual(await askInStream(names.plain, token, options.audiences), [row.expect === 'active']);
    });
  }

  async function askInStream(caller: string, token: string, audiences: readonly string[]) {
    const stream = openIntrospectStream({ target: daemon.process.target, tls: daemon.workspace.tls(caller) });
    const batch = { items: [{ token, tokenTypeHint: '' }], audiences: [...audiences], includeTags: false };
    stream.send({ chunkId: 1, batch });
    const outcome = toOutcome(await stream.next());
    stream.close();
    return outcome;
  }
});

function assertActive(answer: IntrospectionResult): void {
  assert.equal(answer.active, true);
  assert.equal(answer.iss, ISSUER);
}

function toToken(index: number): string {
  return `row-${index}-of-the-rules`;
}

function toTestToken({ token }: IntrospectCase, index: number) {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const { iss, aud, tokenUse, nbfInSeconds } = token ?? {};
  return {
    token: toToken(index),
    claims: {
      ...(iss === undefined ? {} : { iss }),
      ...(aud === undefined ? {} : { aud: [...aud] }),
      ...(tokenUse === 'refresh_token' ? { tokenUse: 2 as const } : {}),
      ...(nbfInSeconds === undefined ? {} : { nbf: BigInt(nowSeconds + nbfInSeconds) }),
    },
  };
}
