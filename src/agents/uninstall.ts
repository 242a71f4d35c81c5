import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, realpath, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { files as platformFiles } from '#platform/files';
import type { Files } from '../platform/contract.ts';
import { agentName } from './agentNames.ts';
import { catalogue } from './catalogue.ts';
import type { Machine } from './configuration/contract.ts';
import { ConfigurationRecords } from './configuration/records.ts';
import { forgetInstallation, installationsIn } from './installations.ts';
import { quoted } from './launcher.ts';

/** A file that tells what to do. */
interface Notice {
  path: string;
  text: string;
  mode: number;
}

/** How long the editor may take to delete the extension's storage. */
const limitMs = 60_000;
const intervalMs = 100;

/** Tells the second process from the first, which the editor may start with a channel as well. */
const rewriteVariable = 'NOTION_MCP_REWRITE';

/**
 * The editor starts this program once the extension has been uninstalled and the editor restarted, gives it five seconds,
 * and then deletes the extension's storage. Agents go on to start the launcher, so from now on that says how to remove
 * the server. A second process waits for the deletion, to write it again.
 */
async function main(program: string, files: Files): Promise<void> {
  const machine: Machine = { home: homedir(), environment: process.env, system: process.platform };
  // <extensions>/<this extension>/dist/uninstall.cjs
  const extensions = dirname(dirname(dirname(await realpath(program))));
  for (const installation of await installationsIn(extensions, machine, files)) {
    const notices = await noticesFor(installation.agents, files);
    for (const notice of notices) {
      await write(notice);
    }
    await forgetInstallation(installation, machine, files);
    await rewriteLater(program, notices);
  }
}

/** The launcher and the bridge, as far as they are there. */
async function noticesFor(folder: string, files: Files): Promise<Notice[]> {
  const lines = await instructions(folder, files);
  const launcher = ['#!/bin/sh', ...lines.map((line) => `printf '%s\\n' ${quoted(line)} >&2`), 'exit 1', ''];
  const bridge = `console.error(${JSON.stringify(lines.join('\n'))});\nprocess.exitCode = 1;\n`;
  return [
    { path: join(folder, 'notion-mcp-bridge'), text: launcher.join('\n'), mode: 0o700 },
    { path: join(folder, 'bridge.cjs'), text: bridge, mode: 0o600 },
  ].filter(({ path }) => existsSync(path));
}

/** Starts this program once more. Resolves once that has read its own file, which the editor deletes too. */
function rewriteLater(program: string, notices: readonly Notice[]): Promise<void> {
  const env = { ...process.env, [rewriteVariable]: '1' };
  const child = fork(program, { detached: true, stdio: 'ignore', env });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('message', () => {
      child.disconnect();
      child.unref();
      resolve();
    });
    child.send(notices);
  });
}

/**
 * Waits until the extension's storage is gone, and writes the files again. The editor deletes its folder last, and would
 * delete with it what is written before. If the extension is back by then, it is not gone.
 */
function rewrite(notices: readonly Notice[]): void {
  const endMs = performance.now() + limitMs;
  const timer = setInterval(async () => {
    if (notices.every(({ path }) => !existsSync(dirname(dirname(path))))) {
      clearInterval(timer);
      // Of an editor that is deleted as a whole, nothing is left behind.
      for (const notice of notices.filter(({ path }) => existsSync(dirname(dirname(dirname(path)))))) {
        await mkdir(dirname(notice.path), { recursive: true, mode: 0o700 });
        await write(notice);
      }
    } else if (performance.now() > endMs) {
      clearInterval(timer);
    }
  }, intervalMs);
}

async function write({ path, text, mode }: Notice): Promise<void> {
  const temporary = `${path}.new`;
  await writeFile(temporary, text, { mode });
  await chmod(temporary, mode);
  await rename(temporary, path);
}

/** What a user has to do in each agent that was connected. */
async function instructions(folder: string, files: Files): Promise<string[]> {
  const records = await new ConfigurationRecords(join(folder, 'configured'), files).list();
  const steps = records.flatMap(({ agent, path, entries }) =>
    // The editor forgets by itself what was registered with it.
    entries.flatMap(({ name, isRegistered }) => {
      const command = catalogue.find(({ id }) => id === agent)?.removeCommand?.(name);
      return isRegistered ? [] : [`${agentName(agent)}: ${command ?? `remove ${name} from ${path}`}`];
    }),
  );
  return [
    'Notion’s tools are no longer here, because the editor’s Notion extension was uninstalled. Remove the server:',
    ...steps,
  ];
}

if (process.send !== undefined && process.env[rewriteVariable] !== undefined) {
  process.once('message', (notices: Notice[]) => {
    rewrite(notices);
    process.send?.('ready');
  });
} else if (platformFiles !== undefined) {
  void main(process.argv[1] ?? '', platformFiles);
}
