import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type Clock, within } from '../../core/clock.ts';
import { isObject, parseJson } from '../../core/json.ts';
import type { BridgeCommand } from '../bridgeCommand.ts';
import type { Machine } from './contract.ts';

/** How long a bridge may take until its tools are known. */
const limitMs = 20_000;

/**
 * Starts a bridge exactly as its agent will, and asks it for its tools.
 * @returns how many it has
 * @throws Error if it cannot be started, ends, or does not respond in time
 */
export function tryLauncher(launch: BridgeCommand, { home, environment }: Machine, clock: Clock): Promise<number> {
  const { HOME, PATH, USER, LANG, SystemRoot } = environment;
  const child = spawn(launch.command, [...launch.args], {
    cwd: home,
    // Agents pass hardly more on.
    env: { HOME, PATH, USER, LANG, SystemRoot, ...launch.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
  });
  let lastWords = '';
  child.stderr.on('data', (data: Buffer) => {
    lastWords = (lastWords + data.toString()).slice(-1000);
  });
  // A process that has ended closes its input.
  child.stdin.on('error', () => undefined);
  const send = (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const tools = new Promise<number>((resolve, reject) => {
    let count = 0;
    child.on('error', reject);
    child.on('close', (code) => reject(new Error(`it ended with code ${code}: ${lastWords.trim()}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const response = parseJson(line);
      if (!isObject(response) || typeof response.id !== 'number') {
        return;
      }
      const { result } = response;
      if (!isObject(result)) {
        reject(new Error('it responded with an error'));
        return;
      }
      if (response.id === initializeId) {
        send({ method: 'notifications/initialized' });
        send({ id: listId, method: 'tools/list', params: {} });
        return;
      }
      count += Array.isArray(result.tools) ? result.tools.length : 0;
      if (typeof result.nextCursor === 'string') {
        send({ id: listId, method: 'tools/list', params: { cursor: result.nextCursor } });
      } else {
        resolve(count);
      }
    });
  });
  const clientInfo = { name: 'notion-mcp-auth', version: '1' };
  send({
    id: initializeId,
    method: 'initialize',
    params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo },
  });
  const late = (): never => {
    throw new Error('it did not respond in time');
  };
  return within(tools, { clock, limitMs, late }).finally(() => child.kill());
}

const initializeId = 1;
const listId = 2;
