import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { authentication, commands, extensions } from 'vscode';

describe('the extension in its host', () => {
  before(async () => {
    const extension = extensions.getExtension('seedling.notion-mcp-auth');
    assert.ok(extension, 'it is there');
    await extension.activate();
  });

  test('answers a silent request for a session with none while nobody is signed in', async () => {
    for (const scopes of [[], ['default']]) {
      assert.equal(await authentication.getSession('notion-mcp', scopes, { silent: true }), undefined);
    }
    assert.deepEqual(await authentication.getAccounts('notion-mcp'), []);
  });

  test('registers every command that it contributes', async () => {
    const { contributes } = extensions.getExtension('seedling.notion-mcp-auth')?.packageJSON ?? {};
    const registered = new Set(await commands.getCommands(true));
    const missing = contributes.commands
      .map(({ command }: { command: string }) => command)
      .filter((command: string) => !registered.has(command));
    assert.deepEqual(missing, []);
  });
});
