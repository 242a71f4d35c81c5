import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';

const pollMs = 20;
const limitMs = 20_000;

/** Waits until a process that is not a child of this one no longer exists; nothing announces that. @throws after 20 s */
export async function processEnd(pid: number): Promise<void> {
  const isRunning = (): boolean => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  };
  const endMs = performance.now() + limitMs;
  while (isRunning()) {
    assert.ok(performance.now() < endMs, `the process ${pid} still runs`);
    await setTimeout(pollMs);
  }
}
