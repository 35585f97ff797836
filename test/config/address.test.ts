import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAddress, parseAddress } from '../../src/config/address.js';

const GOOD = [
  ['0.0.0.0:50051', '0.0.0.0', 50051],
  ['localhost:0', 'localhost', 0],
  ['my-host_1.example:65535', 'my-host_1.example', 65535],
  ['[::]:50051', '::', 50051],
  ['[::ffff:127.0.0.1]:1', '::ffff:127.0.0.1', 1],
] as const;

test('addresses are host and port', async (t) => {
  for (const [text, host, port] of GOOD) {
    await t.test(text, () => {
      assert.deepEqual(parseAddress(text), { host, port });
      assert.equal(formatAddress({ host, port }), text);
    });
  }
});

const BAD = [
  '',
  '50051',
  ':50051',
  'localhost',
  'localhost:',
  'localhost:65536',
  '::1:50051',
  '[::1]',
  'a b:1',
  'http://a:1',
  'a:1/x',
  'a:-1',
];

test('anything else is none', async (t) => {
  for (const text of BAD) await t.test(JSON.stringify(text), () => assert.equal(parseAddress(text), undefined));
});
