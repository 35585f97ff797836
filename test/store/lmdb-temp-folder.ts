import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** Gone when the test is over; `release` first undoes what would keep it. */
export function makeTempFolder(t: TestContext, release: (path: string) => unknown = () => undefined): string {
  const path = mkdtempSync(join(tmpdir(), 'introspectd-store-'));
  t.after(() => {
    release(path);
    rmSync(path, { recursive: true, force: true });
  });
  return path;
}

export function childScript(name: string): string {
  return new URL(`./children/${name}.js`, import.meta.url).pathname;
}
