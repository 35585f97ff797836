import { readFileSync } from 'node:fs';

/** The FileDescriptorSet of what is served; proto/ is part of the package, three folders above the compiled file. */
export function readDescriptors(): Uint8Array {
  return readFileSync(new URL('../../../proto/descriptors.binpb', import.meta.url));
}
