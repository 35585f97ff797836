import type { ProcessFacts } from '../telemetry/process-metrics.js';
import { packageVersion } from './package-version.js';

/** Of this process. */
export function createProcessFacts(): ProcessFacts {
  return {
    version: packageVersion(),
    nodeVersion: process.versions.node,
    cpuSeconds: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
    uptimeSeconds: () => process.uptime(),
    residentBytes: () => process.memoryUsage.rss(),
    heapUsedBytes: () => process.memoryUsage().heapUsed,
    activeResources: () => process.getActiveResourcesInfo().length,
  };
}
