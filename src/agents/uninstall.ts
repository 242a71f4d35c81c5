import { access, chmod, realpath } from 'node:fs/promises';
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

/**
 * The editor starts this program once the extension has been uninstalled and the editor restarted; it gives it five
 * seconds. Agents go on to start the launcher, so from now on that says how to remove the server. The journal of
 * sign-ins stays: the extension may come back.
 */
async function main(program: string, files: Files): Promise<void> {
  const machine: Machine = { home: homedir(), environment: process.env, system: process.platform };
  // <extensions>/<this extension>/dist/uninstall.cjs
  const extensions = dirname(dirname(dirname(await realpath(program))));
  for (const installation of await installationsIn(extensions, machine, files)) {
    const lines = await instructions(installation.agents, files);
    const launcher = ['#!/bin/sh', ...lines.map((line) => `printf '%s\\n' ${quoted(line)} >&2`), 'exit 1', ''];
    await replace(join(installation.agents, 'notion-mcp-bridge'), launcher.join('\n'), 0o700, files);
    const bridge = `console.error(${JSON.stringify(lines.join('\n'))});\nprocess.exitCode = 1;\n`;
    await replace(join(installation.agents, 'bridge.cjs'), bridge, 0o600, files);
    await forgetInstallation(installation, machine, files);
  }
}

/** What a user has to do in each agent that was connected. */
async function instructions(folder: string, files: Files): Promise<string[]> {
  const records = await new ConfigurationRecords(join(folder, 'configured'), files).list();
  const steps = records.flatMap(({ agent, path, entries }) =>
    entries.map(({ name }) => {
      const command = catalogue.find(({ id }) => id === agent)?.removeCommand?.(name);
      return `${agentName(agent)}: ${command ?? `remove ${name} from ${path}`}`;
    }),
  );
  return [
    'Notion’s tools are no longer here, because the editor’s Notion extension was uninstalled. Remove the server:',
    ...steps,
  ];
}

/** Replaces a file, if it is there. */
async function replace(path: string, text: string, mode: number, files: Files): Promise<void> {
  if (
    await access(path).then(
      () => true,
      () => false,
    )
  ) {
    await files.remove(`${path}.new`);
    await files.create(`${path}.new`, text);
    await chmod(`${path}.new`, mode);
    await files.rename(`${path}.new`, path);
  }
}

if (platformFiles !== undefined) {
  void main(process.argv[1] ?? '', platformFiles);
}
