/** A source of time, passed in so that tests can control it. */
export interface Clock {
  /** Wall-clock time in milliseconds since the epoch. It can jump; never compare it across machines. */
  nowMs(): number;
  /** Milliseconds that never decrease, for measuring durations within this process. */
  monotonicMs(): number;
  /** Calls `action` once after `delayMs`; returns a function that cancels it. A timer never keeps a process alive. */
  after(delayMs: number, action: () => void): () => void;
}

/** Settles like `promise`, or with the outcome of `late` (which may throw) once `limitMs` have passed. */
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
    // Node's timers keep the process alive until `unref` is called; a web worker's are plain numbers.
    if (typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function') {
      timer.unref();
    }
    return () => clearTimeout(timer as number);
  },
};
