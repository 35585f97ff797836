// Envoy's forms: peer certificates, header values, and our own reader next to the generated one.
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { IntrospectdError, RateLimited } from '../../src/core/errors.js';
import { createCheckLog } from '../../src/envoy/check-log.js';
import { readCheckRequest } from '../../src/envoy/check-request.js';
import { toFailureRefusal } from '../../src/envoy/denials.js';
import { percentEncode, toIdentityHeaders } from '../../src/envoy/identity-headers.js';
import { createMessageWriter, writeStruct } from '../../src/envoy/message-writer.js';
import { toThumbprint } from '../../src/envoy/peer-certificate.js';
import { CheckResponse } from '../../src/gen/envoy/service/auth/v3/external_auth.js';
import type { Logger } from '../../src/telemetry/logger.js';
import { createTestCa } from '../support/test-ca.js';
import { encodeCheck } from './support/check-message.js';

describe('toThumbprint', () => {
  it('is x5t#S256 of the certificate, as Envoy encodes it', async () => {
    const { certPem } = await (await createTestCa('CA')).issue({ uris: ['spiffe://a/b'] });
    const expected = createHash('sha256').update(new X509Certificate(certPem).raw).digest('base64url');
    const encoded = certPem.replaceAll(/[\n =+/]/g, (character) => encodeURIComponent(character));
    assert.equal(toThumbprint(encoded), expected);
    assert.equal(toThumbprint(encoded.trim().replace(/%0A$/, '')), expected);
    assert.equal(toThumbprint(encoded + encoded), undefined, 'two of them');
  });

  for (const text of ['', 'x', '%', '%zz', '-----BEGIN%20CERTIFICATE-----%0A-----END%20CERTIFICATE-----%0A']) {
    it(`${JSON.stringify(text)} is none`, () => assert.equal(toThumbprint(text), undefined));
  }
});

describe('the message writer', () => {
  const key = fc.string({ maxLength: 5 }).filter((name) => name !== '__proto__');
  const json = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.string({ unit: 'grapheme', maxLength: 400 }),
      fc.double({ noNaN: true }),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true }),
    ),
  })).value;

  it('is read by the generated decoder as the generated encoder is', () => {
    fc.assert(
      fc.property(fc.dictionary(key, json, { noNullPrototype: true }), fc.nat(), (members, code) => {
        const writer = createMessageWriter();
        writeStruct(writer, 4, members);
        writer.message(1, () => writer.varint(1, code));
        const status = { code, message: '', details: [] };
        const expected = CheckResponse.encode({ status, httpResponse: undefined, dynamicMetadata: members }).finish();
        assert.deepEqual(CheckResponse.decode(writer.finish()), CheckResponse.decode(expected));
      }),
    );
  });

  it('refuses what JSON does not have', () => {
    assert.throws(() => writeStruct(createMessageWriter(), 1, { a: 1n }), TypeError);
  });
});

describe('a failure', () => {
  it('of a rate says when it is filled', () => {
    const { httpStatus, headers } = toFailureRefusal(new RateLimited(2400));
    assert.deepEqual([httpStatus, headers], [503, [['retry-after', '3']]]);
  });

  it('of whatever kind is never an answer', () => {
    for (const error of [new Error('x'), new IntrospectdError('OVERLOADED', 'x'), 'thrown', undefined, null]) {
      assert.equal(toFailureRefusal(error).httpStatus, 503);
    }
  });
});

describe('identity headers', () => {
  const NAMES = { sub: 'x-sub', client_id: 'x-client', scope: 'x-scope', iss: 'x-iss', exp: 'x-exp' };

  it('can be undone, and are visible ASCII, whatever a claim says', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const encoded = percentEncode(text);
        assert.match(encoded, /^[\x21-\x7e]*$/);
        assert.equal(decodeURIComponent(encoded), text);
      }),
    );
  });

  it('keep scopes a list', () => {
    const { set } = toIdentityHeaders({ scope: ' read  w%rite ' }, NAMES);
    assert.deepEqual(set, [['x-scope', 'read w%25rite']]);
  });

  it('are each set or removed, once', () => {
    const { set, remove } = toIdentityHeaders({ sub: 'alice', exp: 7, client_id: '' }, NAMES);
    assert.deepEqual([...set.map(([name]) => name), ...remove].sort(), Object.values(NAMES).sort());
    assert.deepEqual(set, [
      ['x-sub', 'alice'],
      ['x-exp', '7'],
    ]);
  });
});

describe('readCheckRequest', () => {
  it('reads what Envoy says', () => {
    const { headers, path, extensions } = readCheckRequest(
      encodeCheck({
        headers: { authorization: 'Bearer x', __proto: 'y' },
        rawHeaders: [
          ['Authorization', 'Bearer z\u00ff'],
          ['__proto__', '1'],
        ],
        path: '/a?b',
        extensions: { audience: 'a' },
      }),
    );
    assert.deepEqual(headers.get('authorization'), ['Bearer x', 'Bearer z\u00ff']);
    assert.deepEqual(headers.get('__proto__'), ['1']);
    assert.deepEqual([path, [...extensions]], ['/a?b', [['audience', 'a']]]);
  });

  it('refuses what ends inside a field', () => {
    const bytes = encodeCheck({ headers: { authorization: 'Bearer x' } });
    assert.throws(() => readCheckRequest(bytes.subarray(0, bytes.length - 3)));
  });

  it('reads an empty message as an empty request', () => {
    assert.equal(readCheckRequest(new Uint8Array()).headers.size, 0);
  });
});

describe('the log of refused requests', () => {
  it('tells a fault of a route once a minute, and its key only where it is a word', () => {
    const written: unknown[] = [];
    const logger = { write: (level: string, event: string, fields: object) => written.push([level, event, fields]) };
    let now = 0;
    const log = createCheckLog(logger as unknown as Logger, () => now);
    const denial = { caller: 'envoy', requestId: 'r', denial: 'misconfigured' as const };
    const tell = (key: string) => log.denied({ ...denial, fault: { problem: 'p', key } });
    tell('scope');
    tell('scope');
    tell('secret of somebody');
    now = 60_000;
    tell('scope');
    const record = (key: string | undefined) => [
      'warn',
      'check_misconfigured',
      { caller: 'envoy', problem: 'p', key, request_id: 'r' },
    ];
    assert.deepEqual(written, [record('scope'), record(undefined), record('scope')]);
  });
});
