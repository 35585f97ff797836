// The echo once more, asked by h2load: a second opinion about our own generator, where nghttp2-client is installed.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GRPC_FRAME_HEADER_BYTES } from '../../src/grpc/grpc-frame.js';
import type { BenchContext } from '../bench-context.js';
import { introspectCall } from '../corpus.js';
import { toEchoPath } from '../echo-path.js';
import { isH2loadInstalled, runH2load } from '../h2load.js';
import type { Load } from '../load-generator.js';
import type { Row } from '../rounds.js';
import { toRowName } from './sides.js';

export async function createH2loadRow({ site, answers, servers }: BenchContext, load: Load): Promise<readonly Row[]> {
  if (!(await isH2loadInstalled())) return [];
  const bodyFile = join(site.workspace.folder, 'introspect.body');
  await writeFile(bodyFile, introspectCall().frame);
  const url = `http://127.0.0.1:${servers.echo.plaintext}${toEchoPath(answers.whole)}`;
  const request = { url, bodyFile, answerBytes: answers.whole + GRPC_FRAME_HEADER_BYTES, ...load };
  const echo = toRowName('echo', 'plaintext');
  return [
    {
      name: `${echo}, by h2load`,
      unit: 'calls',
      pid: servers.echo.pid,
      baselines: [echo],
      run: (windowMs) => runH2load(request, windowMs),
    },
  ];
}
