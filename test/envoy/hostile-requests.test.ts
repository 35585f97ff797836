// Whatever comes as a CheckRequest: an answer with a status, OK for a live token alone, and no token in anything said.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { CheckRequest } from '../../src/gen/envoy/service/auth/v3/external_auth.js';
import { type InProcessDaemon, startInProcessDaemon } from '../support/in-process-daemon.js';
import { createRawCaller, type RawCaller } from '../support/raw-call.js';
import { CHECK, type CheckParts, decodeAnswer, encodeCheck } from './support/check-message.js';

const RUNS = 100;
/** Of each run, all at once. */
const REQUESTS = 50;
/** A busy machine must not turn answers into doubt here. */
const UNHURRIED = { ext_authz: { budget: '10s' }, limits: { store_timeout: '10s' } };
const LIVE = 'live-token-of-hostile-requests';
const REVOKED = 'revoked-token-of-hostile-requests';
const UNKNOWN = 'unknown-token-of-hostile-requests';
const TOKENS = [LIVE, REVOKED, UNKNOWN];

const token = fc.constantFrom(...TOKENS, `${LIVE}=`, `${LIVE}x`, 'x'.repeat(5000), '');
const scheme = fc.constantFrom('Bearer ', 'bearer ', 'BEARER  ', 'Bearer', 'Basic ', 'DPoP ', ' Bearer ', '');
const noise = fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), fc.string({ maxLength: 20 }));
const credential = fc.oneof(
  { weight: 4, arbitrary: fc.constant(`Bearer ${LIVE}`) },
  { weight: 4, arbitrary: fc.tuple(scheme, token).map((parts) => parts.join('')) },
  { weight: 2, arbitrary: fc.tuple(scheme, token, noise, scheme, token).map((parts) => parts.join('')) },
  { weight: 1, arbitrary: noise },
);
const name = fc.oneof(
  { weight: 6, arbitrary: fc.constant('authorization') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('Authorization', 'AUTHORIZATION', 'cookie', 'x-introspectd-sub', '__proto__', ''),
  },
  { weight: 1, arbitrary: noise },
);
const path = fc.oneof(
  { weight: 4, arbitrary: fc.constant('/orders') },
  { weight: 1, arbitrary: fc.tuple(noise, token).map(([text, secret]) => `/?${text}access_token=${secret}`) },
  { weight: 1, arbitrary: noise },
);
const extensions = fc.oneof(
  { weight: 4, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc.dictionary(
      fc.constantFrom('audience', 'scopes_all', 'scopes_any', 'anonymous', 'issuers', 'profile', 'acr', 'constructor'),
      fc.constantFrom('', 'read', 'true', 'false', 'https://orders.example', 'a b'),
    ),
  },
);
const parts: fc.Arbitrary<CheckParts> = fc.record(
  {
    headers: fc.dictionary(name, credential, { maxKeys: 3, noNullPrototype: true }),
    rawHeaders: fc.array(fc.tuple(name, credential), { maxLength: 3 }),
    path,
    extensions,
    certificate: fc.oneof(noise, fc.constant('%zz'), fc.constant('-----BEGIN%20CERTIFICATE-----')),
  },
  { requiredKeys: [] },
);
/** A whole request; one with a few bytes changed or cut off; bytes. */
const request = fc.oneof(
  { weight: 6, arbitrary: parts.map(encodeCheck) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(parts.map(encodeCheck), fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { maxLength: 4 }), fc.nat(2000))
      .map(([bytes, changes, length]) => {
        for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
        return length < 400 ? bytes.subarray(0, length) : bytes;
      }),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
);

describe('hostile CheckRequests', () => {
  let daemon: InProcessDaemon;
  let envoy: RawCaller;
  before(async () => {
    daemon = await startInProcessDaemon((store) => store, UNHURRIED);
    await daemon.register([{ token: LIVE }, { token: REVOKED }]);
    await daemon.client('security').revoke(REVOKED);
    envoy = createRawCaller(daemon.target, daemon.workspace.tls('envoy'));
  });
  after(async () => {
    envoy.close();
    await daemon.stop();
  });

  it(`are answered, ${RUNS * REQUESTS} of them`, async () => {
    const codes = new Map<number, number>();
    const look = async (bytes: Buffer) => {
      const { error, bytes: answer } = await envoy.call(CHECK, bytes);
      assert.equal(error, null);
      assert.ok(answer !== undefined);
      const { code, metadata } = decodeAnswer(answer);
      assert.ok(code === 0 || code === 16 || code === 7, `status ${code}`);
      // Unset and OK look alike to a reader, unless it looks whether the field is there.
      assert.equal(answer[0], 0x0a, 'the first field is the status');
      if (code === 0 && Object.keys(metadata ?? {}).length > 0) {
        assert.ok(bytes.includes(LIVE), 'OK without the live token');
      } else if (code === 0) {
        assert.ok(isAnonymousAllowed(bytes), 'anonymous where no route says so');
      }
      for (const secret of TOKENS) assert.ok(!answer.includes(secret), 'a token in the answer');
      codes.set(code, (codes.get(code) ?? 0) + 1);
    };
    const requests = fc.array(request, { minLength: REQUESTS, maxLength: REQUESTS });
    await fc.assert(
      fc.asyncProperty(requests, async (all) => {
        await Promise.all(all.map(look));
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
    for (const code of [0, 7, 16]) assert.ok((codes.get(code) ?? 0) > 50, `few of ${code}: ${[...codes]}`);
    for (const secret of TOKENS) assert.ok(!daemon.log().includes(secret), 'a token in the log');
    const metrics = await (await fetch(`http://${daemon.opsTarget}/metrics`)).text();
    assert.match(metrics, /^introspectd_checks_total\{.*outcome="allowed"/m);
    for (const secret of TOKENS) assert.ok(!metrics.includes(secret), 'a token in the metrics');
  });
});

function isAnonymousAllowed(bytes: Uint8Array): boolean {
  const { attributes } = CheckRequest.decode(bytes);
  return Object.entries(attributes?.contextExtensions ?? {}).some((entry) => entry.join() === 'anonymous,true');
}
