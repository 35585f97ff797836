import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** Gone when the test is over. */
export function makeTempFolder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'introspectd-store-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export function childScript(name: string): string {
  return new URL(`./children/${name}.js`, import.meta.url).pathname;
}
