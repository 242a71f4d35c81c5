// node test/stages/node24.mjs <program> [arguments]: runs a program on Node 24, which takes TypeScript as it is.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { hostIsPossible, newestHost } from '../editor/host/hosts.mjs';
import { installPackages } from '../editor/host/install.mjs';

const [major] = process.versions.node.split('.');

/** The path of a Node 24 or newer: the one that runs this if it will do, else the one of the embedded editor. */
export async function node24() {
  if (Number(major) >= 24) {
    return process.execPath;
  }
  if (!hostIsPossible) {
    throw new Error(`This needs Node 24 or newer; here is ${process.version}.`);
  }
  if (!existsSync(newestHost.node)) {
    await installPackages(newestHost);
  }
  return newestHost.node;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const child = spawn(await node24(), process.argv.slice(2), { stdio: 'inherit' });
  // Ctrl+C in a terminal reaches the program itself; a signal that was sent to us alone has to be passed on.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  // npm tells only its shell, and that tells nobody: whoever lost the shell was meant too.
  const { ppid } = process;
  setInterval(() => process.ppid === ppid || child.kill('SIGTERM'), 1_000).unref();
  process.exitCode = await new Promise((resolve) => child.on('close', (code) => resolve(code ?? 1)));
}
