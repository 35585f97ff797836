// A daemon in a temporary folder, asked as an issuer, services and security staff would ask it.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { type DaemonProcess, startDaemonProcess } from './daemon-process.js';
import { createDemoClients, createDemoSteps, DEMO_CALLERS, DEMO_STRANGER, newToken, runStep } from './demo-steps.js';
import { createDevWorkspace, type DevWorkspace } from './dev-workspace.js';

export interface DemoRequest {
  /** What becomes of the daemon and its folder at the end. */
  readonly afterwards: 'remove' | 'keep';
  /** Writes a line for people. */
  readonly print: (line: string) => void;
  /** Aborted = clean up and reject with its reason. */
  readonly signal: AbortSignal;
}

const COLUMNS = [40, 38] as const;

/** Resolves with the number of wrong answers. */
export async function runDemo({ afterwards, print, signal }: DemoRequest): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'introspectd-demo-'));
  let daemon: DaemonProcess | undefined;
  let kept = false;
  try {
    const request = { folder, callers: DEMO_CALLERS, strangers: [DEMO_STRANGER], config: {} };
    const workspace = await createDevWorkspace(request);
    daemon = await startDaemonProcess({ configFile: workspace.configFile, logFile: join(folder, 'daemon.log') });
    print(`introspectd on LMDB with mutual TLS at ${daemon.target}, in ${folder}`);
    print('');
    const tokens = { good: newToken(), revocable: newToken() };
    const wrong = await runSteps(workspace, daemon.target, tokens, { print, signal });
    print('');
    print(wrong === 0 ? 'Every answer was right.' : `${wrong} answers were wrong.`);
    if (afterwards === 'keep') {
      kept = true;
      printWhatToTry(workspace, daemon, tokens.good, print);
    }
    return wrong;
  } finally {
    if (kept) daemon?.detach();
    else {
      await daemon?.stop('SIGTERM');
      await rm(folder, { recursive: true, force: true });
    }
  }
}

async function runSteps(
  workspace: DevWorkspace,
  target: string,
  tokens: Parameters<typeof createDemoSteps>[1],
  { print, signal }: Pick<DemoRequest, 'print' | 'signal'>,
): Promise<number> {
  const ca = await readFile(workspace.tls('orders').caFile);
  const pems = new Map<string, readonly [Buffer, Buffer]>();
  for (const { name } of DEMO_CALLERS) {
    const { certFile, keyFile } = workspace.tls(name);
    pems.set(name, [await readFile(keyFile), await readFile(certFile)]);
  }
  const clients = createDemoClients(target, workspace.tls);
  const steps = createDemoSteps(
    {
      target,
      ca,
      credentials: (caller) => credentials.createSsl(ca, ...(pems.get(caller) ?? [])),
      client: clients.client,
    },
    tokens,
  );
  let wrong = 0;
  print(formatRow('step', 'answer', 'time'));
  print(formatRow('-'.repeat(COLUMNS[0]), '-'.repeat(COLUMNS[1]), '-'.repeat(9)));
  for (const step of steps) {
    signal.throwIfAborted();
    const startedMs = performance.now();
    const answer = await runStep(step);
    const tookMs = performance.now() - startedMs;
    print(formatRow(step.name, answer, `${tookMs.toFixed(1)} ms`));
    if (answer !== step.expect) {
      wrong++;
      print(`  WRONG: expected ${step.expect}`);
    }
  }
  await clients.close();
  return wrong;
}

function formatRow(step: string, answer: string, time: string): string {
  return `${step.padEnd(COLUMNS[0])}  ${answer.padEnd(COLUMNS[1])}  ${time.padStart(9)}`;
}

function printWhatToTry(
  workspace: DevWorkspace,
  daemon: DaemonProcess,
  token: string,
  print: DemoRequest['print'],
): void {
  const { caFile, certFile, keyFile } = workspace.tls('orders');
  const as = (caller: string) => `--target ${daemon.target} --as ${join(workspace.folder, caller)}`;
  print(`
It goes on running. From the folder of the project:

  # ask, as orders
  echo ${token} | npx introspectd introspect ${as('orders')}

  # revoke, as security; then ask again
  echo ${token} | npx introspectd revoke ${as('security')}

  # any gRPC client
  grpcurl -cacert ${caFile} -cert ${certFile} -key ${keyFile} \\
    -import-path proto -import-path proto/third_party -proto introspectd/v1/introspection_service.proto \\
    -d '{"token":"${token}"}' ${daemon.target} introspectd.v1.IntrospectionService/Introspect

  # what it logs
  tail -f ${join(workspace.folder, 'daemon.log')}

  # stop it and remove its folder
  kill ${daemon.pid} && rm -r ${workspace.folder}`);
}
