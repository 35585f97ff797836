// npm run check: every rule that a tool can keep, one line each. All of them run; what a failing one said follows its
// line. Runs no tests.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CONFIGURATION_TABLE, formatConfigurationTable } from './configuration-table.mjs';
import { GENERATED, generate } from './generated-code.mjs';
import { installIfNeeded } from './install-and-build.mjs';
import { inProject, runTool } from './project.mjs';

const BASELINE = 'proto/baseline.binpb';

// Each answers what is wrong, or undefined. Third-party protos are as their authors wrote them: not linted or formatted.
const STEPS = {
  'generated code is that of proto/': drift,
  'format and lint': () => run('biome', 'ci', '--error-on-warnings', '--colors=off'),
  types: () => run('tsc', '-b'),
  'configuration table is that of the schema': configurationTable,
  'nothing unused': () => run('knip'),
  'proto lint': () => run('buf', 'lint'),
  'proto format': () => run('buf', 'format', '--diff', '--exit-code', '--path', 'proto/introspectd'),
  'proto breaks no client': breaking,
  'lock names no registry': lockedHosts,
};

installIfNeeded();
let failures = 0;
for (const [name, step] of Object.entries(STEPS)) {
  const start = performance.now();
  const fault = await step();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${fault === undefined ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`);
  if (fault === undefined) continue;
  failures += 1;
  console.log(fault.trimEnd().replaceAll(/^/gm, '     '));
}
if (failures > 0) console.log(`${failures} of ${Object.keys(STEPS).length} checks failed`);
process.exit(failures > 0 ? 1 : 0);

function run(command, ...args) {
  const { status, stdout, stderr, error } = runTool(command, args, { stdio: 'pipe', encoding: 'utf8' });
  if (status === 0) return undefined;
  return `${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}` || `${command} failed and said nothing`;
}

async function configurationTable() {
  if (readFileSync(inProject(CONFIGURATION_TABLE), 'utf8') === (await formatConfigurationTable())) return undefined;
  return `${CONFIGURATION_TABLE} is out of date: npm run gen`;
}

// Against a second copy, so that a check changes nothing and needs no git.
function drift() {
  return inTemporaryFolder((fresh) => {
    const compare = (path) => run('diff', '-r', path, join(fresh, path));
    const faults = [generate(fresh), ...GENERATED.map(compare)].filter((fault) => fault !== undefined);
    return faults.length === 0 ? undefined : `${faults.join('\n')}\nnpm run gen brings it up to date`;
  });
}

// Image against image: buf does not compare a workspace of two modules with one image.
function breaking() {
  const ours = ['build', '--path', 'proto/introspectd', '--output'];
  return inTemporaryFolder((folder) => {
    const image = join(folder, 'image.binpb');
    const fault =
      run('buf', ...ours, image) ?? run('buf', 'breaking', image, '--exclude-imports', '--against', BASELINE);
    if (fault === undefined) return undefined;
    const command = `npx buf ${ours.join(' ')} ${BASELINE} --exclude-source-info`;
    return `${fault}\nA break that is meant needs a line in CHANGELOG.md and a new baseline: ${command}`;
  });
}

// A resolved URL ties everyone to the registry, or the mirror, of whoever made the lock.
function lockedHosts() {
  const { packages } = JSON.parse(readFileSync(inProject('package-lock.json'), 'utf8'));
  const tied = Object.entries(packages).filter(([, { resolved, link }]) => resolved !== undefined && link !== true);
  if (tied.length === 0) return undefined;
  return `${tied.map(([path]) => path).join('\n')}\nhave a resolved URL; .npmrc keeps them out: make the lock anew`;
}

function inTemporaryFolder(work) {
  const folder = mkdtempSync(join(tmpdir(), 'introspectd-check-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
