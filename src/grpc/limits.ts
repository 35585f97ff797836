/** From the configuration (`limits`). */
export interface GrpcLimits {
  readonly batchTokens: number;
  readonly registerItems: number;
  readonly tokenBytes: number;
  readonly claimsBytes: number;
  readonly inflight: number;
  readonly connectionAgeMs: number;
  readonly cacheAgeMs: number;
  readonly watchers: number;
}
