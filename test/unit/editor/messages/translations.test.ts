import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8');
const json = (path: string): Record<string, string> => JSON.parse(read(path));
const call = /l10n\.t\(\s*(?:(\{)\s*message:\s*)?'((?:[^'\\]|\\.)*)'(?:,\s*comment:\s*\[([^\]]*)\])?/g;

/** The key of every sentence in the source, by which the editor finds its translation. */
function keys(): string[] {
  return readdirSync(`${root}src`, { encoding: 'utf8', recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => [...read(`src/${name}`).matchAll(call)])
    .map(([, hasComment, message = '', comments = '']) => {
      const comment = [...comments.matchAll(/'((?:[^'\\]|\\.)*)'/g)].map(([, text]) => text).join('');
      return hasComment === undefined ? message : `${message}/${comment}`;
    });
}

function placeholders(text: string): string[] {
  return [...new Set(text.match(/\{\d\}/g))].sort();
}

/** The titles of the commands that a text tells the user to run. */
function commandsIn(text: string): string[] {
  return [...text.matchAll(/[“„]Notion MCP: ([^”“]+)[”“]/g)].map(([, title = '']) => title);
}

describe('translations', () => {
  const german = json('media/l10n/bundle.l10n.de.json');

  test('every translatable sentence in the source is found by this test', () => {
    const calls = readdirSync(`${root}src`, { encoding: 'utf8', recursive: true })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => read(`src/${name}`).split('l10n.t(').length - 1)
      .reduce((sum, count) => sum + count, 0);
    assert.equal(keys().length, calls);
  });

  test('the German translation has the same keys as the English source', () => {
    assert.deepEqual(Object.keys(german).sort(), [...new Set(keys())].sort());
    assert.deepEqual(Object.keys(json('package.nls.de.json')), Object.keys(json('package.nls.json')));
  });

  test('German sentences have the same placeholders as English ones', () => {
    for (const [key, text] of Object.entries(german)) {
      assert.deepEqual(placeholders(text), placeholders(key), key);
    }
  });

  test('no sentence completes a link or an icon with the text that it contains, in both languages', () => {
    for (const text of [...keys(), ...Object.values(german)]) {
      assert.doesNotMatch(text, /[[\]$]|\{\d\}[({]/, text);
    }
  });

  test('sentences name commands as the Command Palette does, in both languages', () => {
    const english = Object.values(json('package.nls.json'));
    const translated = Object.values(json('package.nls.de.json'));
    for (const [key, text] of Object.entries(german)) {
      assert.deepEqual(
        commandsIn(key).filter((title) => !english.includes(title)),
        [],
        key,
      );
      assert.deepEqual(
        commandsIn(text).filter((title) => !translated.includes(title)),
        [],
        text,
      );
      assert.equal(commandsIn(text).length, commandsIn(key).length, text);
    }
  });

  test('German texts use one word for one thing', () => {
    const walkthrough = readdirSync(`${root}media/walkthrough`).filter((name) => name.endsWith('.nls.de.md'));
    assert.ok(walkthrough.length > 0);
    const texts = [
      ...Object.values(german),
      ...Object.values(json('package.nls.de.json')),
      ...walkthrough.map((name) => read(`media/walkthrough/${name}`)),
    ];
    // Not: network, workspace, agent's, plan of a workspace, again, details.
    const others = /\b(Netz|Netzes|Workspaces?|Agents|Plan|Einzelheiten|noch einmal|neu an(zu)?melden)\b|sich neu an\b/;
    assert.deepEqual(
      texts.filter((text) => others.test(text)),
      [],
    );
  });

  test('package.nls.json has exactly the keys that package.json uses', () => {
    const wanted = [...read('package.json').matchAll(/"%([\w.]+)%"/g)].map(([, name = '']) => name);
    assert.deepEqual([...new Set(wanted)].sort(), Object.keys(json('package.nls.json')).sort());
  });
});
