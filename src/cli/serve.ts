// introspectd serve: the daemon as a process. Files in, signals, logs, exit code.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import type { Config } from '../config/config.js';
import { StoreUnavailable } from '../core/errors.js';
import type { Policy } from '../core/policy.js';
import { createLogger, type Logger } from '../telemetry/logger.js';
import { createMetrics } from '../telemetry/metrics.js';
import { toSafeFields } from '../telemetry/safe-error.js';
import { CliError, type ExitCode } from './cli-error.js';
import { type ConfigOptions, loadConfigFromOptions } from './config-options.js';
import { type Daemon, startDaemon } from './daemon.js';
import { loadDaemonFiles } from './load-daemon-files.js';
import { describeStore } from './open-store.js';
import { packageVersion } from './package-version.js';
import { createProcessFacts } from './process-facts.js';
import { quietGrpc } from './quiet-grpc.js';
import { prepareReloadParts } from './reload-parts.js';
import { type Reloader, startReloader } from './reloader.js';

/** Together below the 20 s that a supervisor is promised; force comes before its SIGKILL. */
const DRAIN_TIMES = { noticeMs: 1000, budgetMs: 15_000 } as const;
const STOP_TIMEOUT_MS = 18_000;
/** One Ctrl-C comes twice from a terminal with a wrapper such as npx: by itself, and passed on. */
const SAME_SIGNAL_MS = 200;
/** What a reader of our log may lag behind before records are dropped: the daemon never waits for it. */
const LOG_BUFFER_BYTES = 64 * 1024 * 1024;
const LOG_TIMEOUT_MS = 1000;

type LogDestination = ReturnType<typeof pino.destination>;

/** Ends the process after a signal; rejects when it could not start. */
export async function serveUntilSignal(options: ConfigOptions): Promise<never> {
  const { config } = await loadConfigFromOptions(options);
  const toReloadParts = await prepareReloadParts(config);
  const files = await loadDaemonFiles(config).catch((error: unknown) => rethrow(error, config));
  const destination = pino.destination({ fd: process.stdout.fd, sync: false, maxLength: LOG_BUFFER_BYTES });
  const logger = createLogger({ level: config.log.level, service: 'introspectd', destination });
  quietGrpc();
  endOnCrash(logger, destination);
  const signal = nextSignal(() => destination.destroy());
  let reloader: Reloader | undefined;
  process.on('SIGHUP', () => void reloader?.reloadNow());
  const { tls, keyRing } = files;
  let { policy } = files;
  const metrics = createMetrics(createProcessFacts());
  const deps = { config, logger, tls, keyRing, policy: () => policy, metrics };
  const daemon = await startDaemon(deps).catch((error: unknown) => rethrow(error, config));
  const warn = (warning: string) => logger.write('warn', 'file_permissions', { warning });
  for (const warning of files.warnings) warn(warning);
  const replacePolicy = (next: Policy) => {
    policy = next;
  };
  const parts = toReloadParts({ replaceTls: daemon.replaceTls, replacePolicy, warn });
  reloader = startReloader({ parts, logger, metrics: metrics.reloads });
  logListening(logger, config, daemon);
  const stopSignal = await signal;
  reloader.stop();
  const exitCode = await stopOn(stopSignal, daemon, logger);
  await endLog(destination);
  // Whatever is open still must not keep a stopped daemon alive.
  process.exit(exitCode);
}

function logListening(logger: Logger, config: Config, { listen, opsListen }: Daemon): void {
  const { version, pid } = { version: packageVersion(), pid: process.pid };
  logger.writeAlways('listening', { listen, ops_listen: opsListen, store: config.store.kind, version, pid });
}

async function stopOn(signal: NodeJS.Signals, daemon: Daemon, logger: Logger): Promise<ExitCode> {
  logger.writeAlways('stopping', { signal });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'stopped_by_force'>((resolve) => {
    timer = setTimeout(() => resolve('stopped_by_force'), STOP_TIMEOUT_MS);
  });
  const stopped = daemon.stop(DRAIN_TIMES).then(
    () => 'stopped' as const,
    () => 'stopped_by_force' as const,
  );
  const outcome = await Promise.race([stopped, late]);
  clearTimeout(timer);
  logger.writeAlways(outcome, { signal });
  return outcome === 'stopped' ? 0 : 1;
}

/** From now on the first signal resolves; a second one ends the process at once. */
function nextSignal(abandon: () => void): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let firstMs: number | undefined;
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.on(name, () => {
        firstMs ??= performance.now();
        if (performance.now() - firstMs > SAME_SIGNAL_MS) {
          abandon();
          process.exit(1);
        }
        resolve(name);
      });
    }
  });
}

/** Node's own report would print the message of whatever was thrown. */
function endOnCrash(logger: Logger, destination: LogDestination): void {
  process.on('uncaughtException', (error) => {
    logger.write('error', 'crash', toSafeFields(error));
    void endLog(destination).then(() => process.exit(1));
  });
}

/** Never waits longer than a second for a reader that does not read. */
async function endLog(destination: LogDestination): Promise<void> {
  const closed = once(destination, 'close');
  destination.end();
  await Promise.race([closed, sleep(LOG_TIMEOUT_MS)]).catch(() => undefined);
  // What is not destroyed is flushed by pino at exit, synchronously and without end.
  destination.destroy();
}

function rethrow(error: unknown, config: Config): never {
  if (!(error instanceof StoreUnavailable)) throw error;
  throw new CliError(1, `the store in ${describeStore(config)} cannot be used:`, error.detail);
}
