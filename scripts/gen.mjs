// npm run gen: after a change in proto/.
import { generate } from './generated-code.mjs';
import { installIfNeeded } from './install-and-build.mjs';
import { inProject } from './project.mjs';

installIfNeeded();
const fault = generate(inProject());
if (fault !== undefined) {
  console.error(fault);
  process.exit(1);
}
