// What comes from proto/ and we commit: the stubs of server and client, the descriptors for reflection, and the .proto files
// of the client package, which npm packs only from its own folder.
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { inProject, runTool } from './project.mjs';

/** The descriptors are no module for tsc to copy: proto/ is part of the package, and dist finds them there. */
export const GENERATED = ['src/gen', 'client/src/gen', 'client/proto', 'proto/descriptors.binpb'];

const CLIENT_PROTOS = {
  introspectd: 'introspectd',
  'third_party/google': 'google',
  'third_party/grpc/health': 'grpc/health',
};

/** Generates all of GENERATED under a folder. Returns what buf said when it failed, else undefined. */
export function generate(folder) {
  mkdirSync(join(folder, 'proto'), { recursive: true });
  const descriptors = join(folder, 'proto', 'descriptors.binpb');
  for (const args of [
    ['generate', '--output', folder],
    ['generate', '--template', 'buf.gen.envoy.yaml', '--output', folder],
    ['build', '--as-file-descriptor-set', '--exclude-source-info', '--output', descriptors],
  ]) {
    const { status, stdout, stderr } = runTool('buf', args, { stdio: 'pipe', encoding: 'utf8' });
    if (status !== 0) return `buf ${args[0]} failed\n${stdout}${stderr}`;
  }
  for (const [from, to] of Object.entries(CLIENT_PROTOS)) {
    cpSync(inProject('proto', from), join(folder, 'client', 'proto', to), { recursive: true });
  }
  return undefined;
}
