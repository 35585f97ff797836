// docs/configuration.md from the schema, which is the one truth. Needs a build.
import { inProject } from './project.mjs';

export const CONFIGURATION_TABLE = 'docs/configuration.md';

export async function formatConfigurationTable() {
  const { CONFIG_LEAVES } = await import(inProject('dist/src/config/config-leaves.js'));
  const rows = CONFIG_LEAVES.map(({ name, initial, description }) => {
    const env = `INTROSPECTD_${name.replaceAll('.', '_').toUpperCase()}`;
    return `| \`${name}\` | ${initial === undefined ? '' : `\`${initial}\``} | ${description} | \`${env}\` |`;
  });
  return `# Configuration

Made from the schema by \`npm run gen\`. Defaults, then the file (\`--config\`), then the environment, then flags. All faults are
reported at once, and what is not a setting is a fault. Relative paths in a file start at that file's folder, those in the
environment and in flags where the command was started.

| setting | default | meaning | in the environment |
|---|---|---|---|
${rows.join('\n')}
`;
}
