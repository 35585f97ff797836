// Introspect without TLS, by h2load, one token again and again: what the code costs, next to a grpc-js that does nothing.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchContext } from '../bench-context.js';
import { startChild } from '../child.js';
import { introspectCall, PATHS } from '../corpus.js';
import { toEchoPath } from '../echo-path.js';
import { GRPC_FRAME_HEADER_BYTES } from '../grpc-frame.js';
import { isH2loadInstalled, runH2load } from '../h2load.js';
import type { Load } from '../load-generator.js';
import type { PlaintextQuestion } from '../plaintext-server.js';
import type { Group, Row } from '../rounds.js';
import { KEYS_FILE } from '../site.js';
import { ECHO, FILTERED, PASSED_THROUGH } from './introspect-rows.js';

/** What a row differs in. */
interface Side extends Pick<Row, 'name' | 'pid' | 'baselines'> {
  readonly port: number;
  readonly path: string;
  readonly answerBytes: number;
}

export async function introspectPlaintext(context: BenchContext): Promise<readonly Group[]> {
  if (!(await isH2loadInstalled())) {
    console.error('SKIPPED: rows over plaintext; there is no h2load (Debian: nghttp2-client)');
    return [];
  }
  const { folder } = context.site.workspace;
  const bodyFile = join(folder, 'introspect.body');
  await writeFile(bodyFile, introspectCall().frame);
  const sides = await createSides(context);
  return context.loads.map(({ concurrency, load }) => ({
    title: `Introspect, plaintext, ${concurrency} concurrent, lmdb`,
    rows: sides.map((side) => toRow(side, bodyFile, load)),
  }));
}

async function createSides({ site, answers, echo, cleanUp }: BenchContext): Promise<readonly Side[]> {
  const { storeFolder: storePath, folder, policyFile } = site.workspace;
  const server = startChild<PlaintextQuestion, readonly number[]>('plaintext-server');
  cleanUp(server.stop);
  const keysFile = join(folder, KEYS_FILE);
  const identities = ['spiffe://demo/whole', 'spiffe://demo/filtered'];
  const [whole = 0, filtered = 0] = await server.ask({ storePath, keysFile, policyFile, identities });
  const ours = { pid: server.pid, path: PATHS.introspect, baselines: [ECHO] };
  return [
    {
      name: ECHO,
      pid: echo.process.pid,
      port: echo.ports.plaintext,
      path: toEchoPath(answers.whole),
      answerBytes: answers.whole,
    },
    { name: PASSED_THROUGH, port: whole, answerBytes: answers.whole, ...ours },
    { name: FILTERED, port: filtered, answerBytes: answers.filtered, ...ours },
  ];
}

function toRow({ port, path, answerBytes, ...row }: Side, bodyFile: string, load: Load): Row {
  const url = `http://127.0.0.1:${port}${path}`;
  const request = { url, bodyFile, answerBytes: answerBytes + GRPC_FRAME_HEADER_BYTES, ...load };
  return { ...row, unit: 'calls', run: (windowMs) => runH2load(request, windowMs) };
}
