import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isEntryName, parseEntry } from '../../src/agents/windowEntry.ts';
import type { Editor } from '../e2e/driver/editor.ts';
import { findLeaks } from '../e2e/driver/leaks.ts';
import { everyServer } from '../notion/server.ts';
import type { AgentHome } from './agentHome.ts';

/**
 * Searches the files of the editor and its agents, and the command lines and environments of their processes. Agents
 * record what tools return, so names of users are no leak.
 * @throws AssertionError if there is a secret of an account, or a window's secret elsewhere than in the window's entry
 */
export async function assertNoAgentLeaks({ directory }: Editor, home: AgentHome): Promise<void> {
  const folders = [directory, home.directory];
  const processes = (await home.processes()).map(({ pid, commandLine, environment }) => ({
    name: `process ${pid}`,
    lines: [commandLine, environment],
    isFromExtension: () => true,
  }));
  assert.notDeepEqual(processes, []);
  const issued = everyServer.flatMap((notion) => notion.issuedSecrets());
  assert.deepEqual(await findLeaks(folders, processes, { secrets: issued, personalData: [] }), []);
  const secrets = await windowSecrets(directory);
  assert.notDeepEqual(secrets, []);
  const leaks = await findLeaks(folders, processes, { secrets, personalData: [] });
  assert.deepEqual(
    leaks.filter((leak) => !isEntryName(basename(leak.split(': ')[0] ?? ''))),
    [],
  );
}

/** What windows prove themselves with. */
async function windowSecrets(directory: string): Promise<string[]> {
  const names = (await readdir(directory, { recursive: true })).filter((name) => isEntryName(basename(name)));
  const entries = await Promise.all(
    names.map(async (name) => parseEntry(await readFile(join(directory, name), 'utf8'))),
  );
  return entries.flatMap((entry) => (entry === undefined ? [] : [entry.secret.reveal()]));
}
