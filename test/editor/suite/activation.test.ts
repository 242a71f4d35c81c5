import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { authentication, commands, extensions } from 'vscode';

const extension = extensions.getExtension('seedling.notion-mcp-auth');

describe('the extension in a real extension host', () => {
  before(async () => {
    assert.ok(extension, 'the extension must be installed');
    await extension.activate();
  });

  test('a silent request for a session returns none before the first sign-in', async () => {
    for (const scopes of [[], ['default']]) {
      assert.equal(await authentication.getSession('notion-mcp', scopes, { silent: true }), undefined);
    }
    assert.deepEqual(await authentication.getAccounts('notion-mcp'), []);
  });

  test('the test extension that requests sessions is installed as well', () => {
    assert.ok(extensions.getExtension('seedling-tests.session-consumer'));
  });

  test('the extension registers every command that it contributes', async () => {
    const contributed: { command: string }[] = extension?.packageJSON.contributes.commands;
    const registered = new Set(await commands.getCommands(true));
    assert.deepEqual(
      contributed.filter(({ command }) => !registered.has(command)),
      [],
    );
  });
});
