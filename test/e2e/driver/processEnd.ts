import { setTimeout } from 'node:timers/promises';

const pollMs = 20;

/** Waits until a process that is not a child of this one no longer exists; nothing announces that. */
export async function processEnd(pid: number): Promise<void> {
  const isRunning = (): boolean => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  };
  while (isRunning()) {
    await setTimeout(pollMs);
  }
}
