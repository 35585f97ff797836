// The rules, row by row, through the door of ext_authz: what is not active there passes nowhere.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { AUDIENCE, INTROSPECT_CASES, type IntrospectCase, ISSUER } from '../cases/introspect-cases.js';
import { CALLERS, startTestDaemon, type TestDaemon } from '../support/daemon.js';
import { createRawCaller } from '../support/raw-call.js';
import { CHECK, decodeAnswer, encodeCheck } from './support/check-message.js';

/** A Check asks for exactly one audience: the row's, or the caller's only one. */
const ROWS = INTROSPECT_CASES.filter(
  ({ audiences = [], caller }) => audiences.length === 1 || (audiences.length === 0 && !caller?.audiences),
);
const OK = 0;

describe('the rules, through ext_authz', () => {
  let daemon: TestDaemon;
  before(async () => {
    const callers = ROWS.map(({ caller }, index) => ({
      name: `row-${index}`,
      permissions: ['check'],
      issuers: [ISSUER],
      audiences: caller?.audiences ?? [AUDIENCE],
      ...(caller?.tokenUse ? { token_use: caller.tokenUse } : {}),
    }));
    const config = { ext_authz: { budget: '5s' }, limits: { store_timeout: '5s' } };
    daemon = await startTestDaemon({ callers: [...CALLERS, ...callers], config });
    await daemon.register(ROWS.flatMap((row, index) => (row.token === undefined ? [] : [toTestToken(row, index)])));
    for (const [index, row] of ROWS.entries()) {
      if (row.revoked) await daemon.client('security').revoke(toToken(index));
    }
  });
  after(() => daemon.stop());

  for (const [index, { name, audiences, expect }] of ROWS.entries()) {
    it(`${name}: ${expect === 'active' ? 'passes' : 'denied'}`, async () => {
      const caller = createRawCaller(daemon.process.target, daemon.workspace.tls(`row-${index}`));
      const headers = { authorization: `Bearer ${toToken(index)}` };
      const [audience] = audiences ?? [];
      const extensions = audience === undefined ? {} : { audience };
      const { bytes } = await caller.call(CHECK, encodeCheck({ headers, extensions }));
      caller.close();
      const { code, httpStatus } = decodeAnswer(bytes ?? Buffer.alloc(0));
      if (expect === 'active') assert.equal(code, OK);
      else assert.ok(httpStatus === 401 || httpStatus === 403, `${code} ${httpStatus}`);
    });
  }
});

function toToken(index: number): string {
  return `row-${index}-of-the-rules-for-envoy`;
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
