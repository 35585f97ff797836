import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseH2loadReport } from '../../bench/h2load.js';

// As h2load 1.52 prints it.
const REPORT = `
finished in 1.00s, 5123.00 req/s, 1.02MB/s
requests: 5123 total, 5153 started, 5123 done, 5120 succeeded, 3 failed, 0 errored, 0 timeout
status codes: 5120 2xx, 1 3xx, 2 4xx, 4 5xx
traffic: 1.02MB (1071234) total, 70.20KB (71884) headers (space savings 91.13%), 705.42KB (722343) data
`;

test('a report is read', () => {
  assert.deepEqual(parseH2loadReport(REPORT), { perSecond: 5123, completed: 5120, failed: 10, dataBytes: 722343 });
});

test('a report of another form is a fault, not a rate', () => {
  assert.throws(() => parseH2loadReport(REPORT.replace('req/s', 'rps')), /has no/);
});
