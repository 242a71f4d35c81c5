import assert from 'node:assert/strict';
import { test } from 'node:test';
import { journalDirectory } from '../../../src/storage/journalFiles.ts';

const own = 'seedling.notion-mcp-auth';

for (const [where, path, directory] of [
  ['the default profile', `/home/a/Code/User/globalStorage/${own}`, `/home/a/Code/User/globalStorage/${own}/journal`],
  [
    'another profile',
    `/home/a/Code/User/profiles/-1a2b3c/globalStorage/${own}`,
    `/home/a/Code/User/globalStorage/${own}/journal`,
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
    `/home/a/.vscode-server/data/User/globalStorage/${own}`,
    `/home/a/.vscode-server/data/User/globalStorage/${own}/journal`,
  ],
  [
    'a user named profiles',
    `/home/profiles/x/User/globalStorage/${own}`,
    `/home/profiles/x/User/globalStorage/${own}/journal`,
  ],
] as const) {
  test(`the journal of ${where} lies in the folder that all profiles share`, () => {
    assert.equal(journalDirectory(path), directory);
  });
}
