// Callers branch on the published reasons, so those that the code can raise and those that proto/ publishes are one list.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorReason } from '../../src/gen/introspectd/v1/error_reason.js';
import { findSources } from './project-files.js';

test('the reasons in core/errors.ts are the published ones', () => {
  const source = findSources().find(({ path }) => path === 'src/core/errors.ts')?.text ?? '';
  const [, union = ''] = /export type Reason =([^;]*);/.exec(source) ?? [];
  const raised = [...union.matchAll(/'([A-Z_]+)'/g)].map(([, reason]) => reason);
  const published = Object.keys(ErrorReason).filter((name) => name !== 'UNSPECIFIED' && name !== 'UNRECOGNIZED');
  assert.deepEqual(raised.sort(), published.sort());
});
