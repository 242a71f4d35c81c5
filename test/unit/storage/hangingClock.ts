import { fileLimitMs, secretLimitMs } from '../../../src/storage/timeLimits.ts';
import { MovableClock } from '../accounts/machine.ts';

/** A clock on which the time limit of an operation that never returns passes at once. */
export class HangingClock extends MovableClock {
  /** How many operations were given up. */
  limits = 0;
  #isHanging = false;

  /** To be called by an operation that never returns: its time limit begins next. */
  hang(): true {
    this.#isHanging = true;
    return true;
  }

  override after(delayMs: number, action: () => void): () => void {
    const isLimit = this.#isHanging && (delayMs === fileLimitMs || delayMs === secretLimitMs);
    this.#isHanging &&= !isLimit;
    this.limits += isLimit ? 1 : 0;
    return super.after(isLimit ? 0 : delayMs, action);
  }
}
