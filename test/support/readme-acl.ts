import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const README = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');

/** The rights of `ACL SETUSER introspectd on >PASSWORD ...` in the README, from the keys on. */
export function readAclOfReadme(): string[] {
  const rules = /ACL SETUSER introspectd on >PASSWORD ([^`]+)`/.exec(README)?.[1];
  assert.ok(rules);
  return rules.split(/\s+/);
}
