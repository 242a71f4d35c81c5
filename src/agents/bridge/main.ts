import { watch } from 'node:fs';
import { parseArgs } from 'node:util';
import { timeLimitOf } from '../../calls/timeLimits.ts';
import { systemClock, within } from '../../core/clock.ts';
import { systemRandomness } from '../../core/random.ts';
import { isAgentId } from '../agentNames.ts';
import { cachePath } from '../cachePath.ts';
import { Bridge } from './bridge.ts';
import { ServerCache } from './cache.ts';
import { linesOf, writeLine } from './stdio.ts';
import { Windows } from './windows.ts';

/** How often windows are looked for while there is none; a watch on their directory can miss one. */
const lookMs = 30_000;

/** How much longer than the gateway's own time limits a window may be silent. */
const hangMs = 10_000;

/** How long the disk may take at the end. */
const storeLimitMs = 1_000;

/** Runs the bridge of one agent and one account until the agent ends it. */
async function main(): Promise<void> {
  const { directory, account, agent } = parseArgs({
    options: { directory: { type: 'string' }, account: { type: 'string' }, agent: { type: 'string' } },
    strict: false,
  }).values;
  if (typeof directory !== 'string' || typeof account !== 'string' || typeof agent !== 'string') {
    console.error('notion-mcp-bridge: --directory, --account and --agent are needed. Sign in again from the editor.');
    process.exitCode = 2;
    return;
  }
  if (!isAgentId(agent)) {
    console.error('notion-mcp-bridge: --agent must be up to 32 of the characters a-z, 0-9 and -, such as claude-code.');
    process.exitCode = 2;
    return;
  }
  const endpoint = { handle: account, agent };
  const cache = new ServerCache(await cachePath(directory, endpoint));
  await cache.load();
  const bridge = new Bridge({
    windows: new Windows(directory, endpoint, { randomness: systemRandomness, clock: systemClock }),
    cache,
    send: (message) => writeLine(process.stdout, message),
    silenceMs,
    watch: (changed) => {
      const timer = setInterval(changed, lookMs);
      const stopWatching = watchDirectory(directory, changed);
      return () => {
        clearInterval(timer);
        stopWatching();
      };
    },
    watchConsent: (changed) => watchDirectory(directory, changed, '.consent'),
    editor: process.env.NOTION_MCP_EDITOR ?? 'the editor',
  });
  // An agent that only tests its configuration ends the bridge as soon as it has the tools.
  const end = async (): Promise<void> => {
    await within(cache.stored, { clock: systemClock, limitMs: storeLimitMs, late: () => undefined });
    process.exit(0);
  };
  process.on('SIGTERM', end).on('SIGINT', end);
  process.stdout.on('error', end);
  for await (const line of linesOf(process.stdin)) {
    void bridge.receive(line);
  }
  bridge.close();
  await end();
}

/** The gateway ends a call in time. A window that does not even do that hangs. */
function silenceMs(method: string): number | undefined {
  const limit = timeLimitOf('POST', new Set([method]));
  return limit && limit.limitMs + hangMs;
}

/** Best effort: a change can be missed. Without `suffix`, any file counts. */
function watchDirectory(directory: string, changed: () => void, suffix = ''): () => void {
  try {
    const watcher = watch(directory, (_event, name) => (name ?? suffix).endsWith(suffix) && changed());
    watcher.on('error', () => undefined);
    return () => watcher.close();
  } catch {
    return () => undefined;
  }
}

void main();
