import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEditor } from './vscode.ts';

const { confirmClient } = await import('../../../src/editor/confirmSignIn.ts');

test('a question before a client id is used at another authorization server names both servers, and only its button goes on', async () => {
  for (const [picked, goesOn] of [
    ['Continue', true],
    ['Do Not Sign In', false],
    [undefined, false],
  ] as const) {
    const editor = openEditor();
    const confirmed = confirmClient({
      kind: 'otherIssuer',
      clientId: 'mine',
      knownIssuer: 'https://as.example/one',
      issuer: 'https://as.example/two',
    });
    const question = await editor.messages.take();
    assert.match(question.text, /^modal warning: Use the client ID mine at as\.example\/two\?/);
    assert.match(question.text, /\[Do Not Sign In\] \[Continue\]$/, 'the default changes nothing');
    assert.match(question.parts.join(), /at as\.example\/one before.*registered at as\.example\/two/);
    question.pick(picked);
    assert.equal(await confirmed, goesOn);
  }
});

test('a question before a client id is used again names the accounts whose sign-in may end', async () => {
  const editor = openEditor();
  const confirmed = confirmClient({ kind: 'clientInUse', clientId: 'mine', labels: ['Ada (Wiki)', 'Grace (Lab)'] });
  const question = await editor.messages.take();
  assert.match(question.parts.join(), /Ada \(Wiki\), Grace \(Lab\) is signed in/);
  question.pick('Continue');
  assert.equal(await confirmed, true);
});

test('a client id from the settings cannot put a command or an icon into a question', async () => {
  const editor = openEditor();
  const labels = ['$(bug) [x](command:workbench.action.quit)'];
  void confirmClient({ kind: 'clientInUse', clientId: '[x](command:y) $(bug)', labels });
  const question = await editor.messages.take();
  assert.doesNotMatch(question.parts.join(), /\]\(command:|\$\(/);
});
