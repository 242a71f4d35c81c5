/** Time, handed in so that tests own it. */
export interface Clock {
  /** Milliseconds since the epoch by the wall clock. It can jump; never compare it across machines. */
  nowMs(): number;
  /** Milliseconds that only grow, for measuring a span within this process. */
  monotonicMs(): number;
  /** Calls `action` once after `delayMs`; returns what cancels it. A timer never keeps a process alive. */
  after(delayMs: number, action: () => void): () => void;
}

/** What `promise` comes to, or what `late` says where it has not come to anything within `limitMs`. */
export async function within<T>(
  promise: Promise<T>,
  { clock, limitMs, late }: { clock: Clock; limitMs: number; late: () => T },
): Promise<T> {
  const limit = Promise.withResolvers<T>();
  const stop = clock.after(limitMs, () => {
    try {
      limit.resolve(late());
    } catch (error) {
      limit.reject(error);
    }
  });
  try {
    return await Promise.race([promise, limit.promise]);
  } finally {
    stop();
  }
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, action) => {
    const timer: unknown = setTimeout(action, delayMs);
    // Node's timers keep the process alive unless told otherwise; a web worker's are plain numbers.
    if (typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function') {
      timer.unref();
    }
    return () => clearTimeout(timer as number);
  },
};
