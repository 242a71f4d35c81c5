import type { Clock } from '../core/clock.ts';
import { systemErrorCode } from '../core/errorInfo.ts';
import type { Log } from '../core/log.ts';
import type { Randomness } from '../core/random.ts';
import type { Grant } from '../grants/grant.ts';
import { expiresAtMs, isHealthy, longestRenewalPauseMs, renewAtMs } from '../grants/tokenLife.ts';
import type { Journal } from './journal.ts';
import type { SecretStore } from './secretStore.ts';

export interface SharedMachinesParts {
  secretStore: SecretStore;
  clock: Clock;
  randomness: Randomness;
  log: Log;
}

/** The longest random delay by which a machine lets the one that obtained the tokens renew them first. */
export const longestDelayMs = 3_000;

/**
 * The policy for machines that share the secrets but not the disk, as a local and a remote extension host can: each has
 * a journal of its own, and is known by its journal's id. The machine that obtained a grant's tokens renews them. Another
 * one takes over only when they have expired, after a random delay and one more read. While several machines share the
 * secrets, renewals and sign-outs are stored there too.
 */
export class SharedMachines {
  readonly #parts: SharedMachinesParts;
  #machineId: string | undefined;
  #isShared = false;

  constructor(parts: SharedMachinesParts) {
    this.#parts = parts;
  }

  /** Whether another machine has used these secrets. */
  get isShared(): boolean {
    return this.#isShared;
  }

  /** Reads the id of this machine, which has none without a journal, and of those that share the secrets. */
  async read(journal: Journal | undefined): Promise<void> {
    this.#machineId ??= await journal?.machineId().catch(() => undefined);
    const machineIds = await this.#parts.secretStore.readMachineIds();
    this.#isShared = this.#machineId !== undefined && machineIds.some((machineId) => machineId !== this.#machineId);
  }

  /** Tells the other machines of this one. */
  async announce(): Promise<void> {
    const { secretStore } = this.#parts;
    if (this.#machineId !== undefined && !(await secretStore.readMachineIds()).includes(this.#machineId)) {
      await secretStore.storeMachineId(this.#machineId);
    }
  }

  /** A grant whose tokens this machine has obtained. */
  stamp({ machineId: _, ...grant }: Grant): Grant {
    return { ...grant, ...(this.#machineId !== undefined && { machineId: this.#machineId }) };
  }

  /** Whether another machine obtained the tokens, and should renew them. */
  isOther({ machineId }: Grant): boolean {
    return this.#machineId !== undefined && machineId !== undefined && machineId !== this.#machineId;
  }

  /** Whether there is nothing to renew here as long as another machine may do it. */
  leavesRenewalToOther(grant: Grant): boolean {
    return this.isOther(grant) && isHealthy(grant.tokens, this.#parts.clock.nowMs());
  }

  /** When the scheduler renews a grant, or ends one without refresh token (wall clock); see `renewAtMs` of `tokenLife.ts` for `fraction`. */
  renewAtMs(grant: Grant, fraction: number): number {
    const { tokens } = grant;
    if (tokens.refreshToken === undefined) {
      return expiresAtMs(tokens);
    }
    return this.isOther(grant)
      ? Math.min(expiresAtMs(tokens), tokens.obtainedAtMs + longestRenewalPauseMs)
      : renewAtMs(tokens, fraction);
  }

  /** Lets the machine that obtained the tokens be faster. Read the grant again afterwards. */
  async delay(): Promise<void> {
    const { clock, randomness } = this.#parts;
    await new Promise<void>((resolve) => clock.after(randomness.fraction() * longestDelayMs, resolve));
  }

  /** Stores a grant where the other machines find it, if there are any. Never rejects: the journal already has it. */
  async share(grant: Grant): Promise<void> {
    const { secretStore, log } = this.#parts;
    if (this.#isShared) {
      await secretStore.store(grant).catch((error: unknown) => {
        log.warn('New tokens could not be shared with other machines.', {
          account: grant,
          code: systemErrorCode(error),
        });
      });
    }
  }

  /** Whether another machine has signed the grant out. */
  async isSignedOut(grantId: string): Promise<boolean> {
    return this.#isShared && (await this.#parts.secretStore.readTombstones()).has(grantId);
  }
}
