// How much of something in a time: a bucket that fills at `perSecond` up to `burst`. Pure: the time is passed in.

export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

export interface TokenBucket {
  readonly rate: Rate;
  /**
   * 0 = taken; else nothing was, and it is worth asking again after so many ms. What costs more than the burst waits for
   * a full bucket and leaves it in debt: it can go through, and what follows pays for it.
   */
  take(cost: number, nowMs: number): number;
  /** Of what was taken and turned out not to be used. */
  giveBack(cost: number): void;
}

/** Sums of fractions end a little beside the whole: whoever waited as long as it was told must get what it asked for. */
const ROUNDING = 1e-6;

/** Full at first. */
export function createTokenBucket(rate: Rate, startMs: number): TokenBucket {
  let level = rate.burst;
  let filledAtMs = startMs;
  return {
    rate,
    take: (cost, nowMs) => {
      if (nowMs > filledAtMs) {
        level = Math.min(rate.burst, level + ((nowMs - filledAtMs) / 1000) * rate.perSecond);
        filledAtMs = nowMs;
      }
      const missing = Math.min(cost, rate.burst) - level;
      if (missing > ROUNDING) return Math.ceil(((missing - ROUNDING) / rate.perSecond) * 1000);
      level -= cost;
      return 0;
    },
    giveBack: (cost) => {
      level = Math.min(rate.burst, level + cost);
    },
  };
}
