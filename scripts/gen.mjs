// npm run gen: after a change in proto/, or in the configuration's schema.
import { writeFileSync } from 'node:fs';
import { CONFIGURATION_TABLE, formatConfigurationTable } from './configuration-table.mjs';
import { generate } from './generated-code.mjs';
import { installIfNeeded } from './install-and-build.mjs';
import { inProject, runTool } from './project.mjs';

installIfNeeded();
const fault = generate(inProject());
if (fault !== undefined) {
  console.error(fault);
  process.exit(1);
}
if (runTool('tsc', ['-b'], { stdio: 'inherit' }).status !== 0) process.exit(1);
writeFileSync(inProject(CONFIGURATION_TABLE), await formatConfigurationTable());
