import assert from 'node:assert/strict';
import { test } from 'node:test';
import { journalDirectory } from '../../../src/storage/journalFiles.ts';

const own = 'seedling.notion-mcp-auth';

for (const [where, path, directory] of [
  [
    'the default profile',
    `/machineId/a/Code/User/globalStorage/${own}`,
    `/machineId/a/Code/User/globalStorage/${own}/journal`,
  ],
  [
    'another profile',
    `/machineId/a/Code/User/profiles/-1a2b3c/globalStorage/${own}`,
    `/machineId/a/Code/User/globalStorage/${own}/journal`,
  ],
  [
    'another profile on Windows',
    `C:\\Users\\a\\Code\\User\\profiles\\-1a2b3c\\globalStorage\\${own}`,
    `C:\\Users\\a\\Code\\User/globalStorage\\${own}/journal`,
  ],
  [
    'a portable editor',
    `/media/stick/code/data/user-data/User/globalStorage/${own}/`,
    `/media/stick/code/data/user-data/User/globalStorage/${own}/journal`,
  ],
  [
    'a remote host',
    `/machineId/a/.vscode-server/data/User/globalStorage/${own}`,
    `/machineId/a/.vscode-server/data/User/globalStorage/${own}/journal`,
  ],
  [
    'a user whose home is called profiles',
    `/machineId/profiles/x/User/globalStorage/${own}`,
    `/machineId/profiles/x/User/globalStorage/${own}/journal`,
  ],
] as const) {
  test(`in ${where} the journal lies in the editor’s one folder for all profiles`, () => {
    assert.equal(journalDirectory(path), directory);
  });
}
