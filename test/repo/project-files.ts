import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const NOT_OURS = new Set(['.git', '.cache', 'node_modules']);

export interface ProjectFile {
  /** From the root of the repository, with slashes: "src/core/judge.ts". */
  readonly path: string;
  readonly text: string;
}

/** Every file that a commit could hold; installed and built ones are left out. */
export function findProjectFiles(folder = ''): ProjectFile[] {
  return readdirSync(`${ROOT}${folder}`, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}${entry.name}`;
    // Also as a file: .git is one in a work tree.
    if (!isOurs(entry.name)) return [];
    if (entry.isDirectory()) return findProjectFiles(`${path}/`);
    return entry.isFile() ? [{ path, text: readFileSync(`${ROOT}${path}`, 'utf8') }] : [];
  });
}

/** TypeScript that people write. */
export function findSources(): ProjectFile[] {
  return findProjectFiles().filter(({ path }) => path.endsWith('.ts') && !isGenerated(path));
}

export function isGenerated(path: string): boolean {
  return /^(client\/)?src\/gen\//.test(path);
}

function isOurs(name: string): boolean {
  return !NOT_OURS.has(name) && !/^dist(-|$)/.test(name);
}
