// node test/stages/node24.mjs <program> [arguments]: runs a program on Node 24 or newer, which supports TypeScript.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { hostIsPossible, newestHost } from '../editor/host/hosts.mjs';
import { installPackages } from '../editor/host/install.mjs';

const [major] = process.versions.node.split('.');

/**
 * Returns the path of a Node 24 or newer: the running one if it is new enough, else the embedded editor's.
 * @throws Error where neither is available
 */
export async function node24() {
  if (Number(major) >= 24) {
    return process.execPath;
  }
  if (!hostIsPossible) {
    throw new Error(`This needs Node 24 or newer; here is ${process.version}.`);
  }
  await installPackages(newestHost);
  return newestHost.node;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const child = spawn(await node24(), process.argv.slice(2), { stdio: 'inherit' });
  // Ctrl+C in a terminal reaches the program directly; a signal sent only to this process has to be forwarded.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  // npm signals only its shell, which does not forward the signal. So losing the shell counts as a signal, too.
  const { ppid } = process;
  setInterval(() => process.ppid === ppid || child.kill('SIGTERM'), 1_000).unref();
  process.exitCode = await new Promise((resolve) => child.on('close', (code) => resolve(code ?? 1)));
}
