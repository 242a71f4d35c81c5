import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { authentication, commands, extensions } from 'vscode';

const extension = extensions.getExtension('seedling.notion-mcp-auth');

describe('the extension in its host', () => {
  before(async () => {
    assert.ok(extension, 'it is there');
    await extension.activate();
  });

  test('answers a silent request for a session with none while nobody is signed in', async () => {
    for (const scopes of [[], ['default']]) {
      assert.equal(await authentication.getSession('notion-mcp', scopes, { silent: true }), undefined);
    }
    assert.deepEqual(await authentication.getAccounts('notion-mcp'), []);
  });

  test('stands beside the extension that asks for its sessions', () => {
    assert.ok(extensions.getExtension('seedling-tests.session-consumer'));
  });

  test('registers every command that it contributes', async () => {
    const contributed: { command: string }[] = extension?.packageJSON.contributes.commands;
    const registered = new Set(await commands.getCommands(true));
    assert.deepEqual(
      contributed.filter(({ command }) => !registered.has(command)),
      [],
    );
  });
});
