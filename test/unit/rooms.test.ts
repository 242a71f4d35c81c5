import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, sep } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('../../src', import.meta.url));

/** From the ground up: a room imports only from itself and from rooms before it. */
const rooms = [
  ...['secret', 'log', 'clock', 'http', 'platform', 'oauth', 'notion', 'grants'],
  ...['signIn', 'mcp', 'editor', 'api', 'assembly', 'extension'],
];

interface Import {
  file: string;
  from: string;
  specifier: string;
  /** The room that is imported, or `vscode`; undefined for a package. */
  target: string | undefined;
  typesOnly: boolean;
}

const files = readdirSync(source, { encoding: 'utf8', recursive: true })
  .map((file) => file.replaceAll(sep, '/'))
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'));
const imports = files.flatMap(importsOf);

test('every file of the source lies in a room of the house', () => {
  assert.deepEqual(
    files.filter((file) => !rooms.includes(roomOf(file))),
    [],
  );
  assert.ok(imports.length > 50, 'there is something to judge');
});

test('a room imports only from itself and from rooms below it', () => {
  const wrong = imports.filter(({ from, target, typesOnly }) => {
    // What differs from platform to platform names the contract that it fulfils, wherever that is written.
    const isContract = from === 'platform' && typesOnly;
    return target !== undefined && target !== 'vscode' && !isContract && rooms.indexOf(target) > rooms.indexOf(from);
  });
  assert.deepEqual(wrong.map(described), []);
});

test('the rooms that run without an editor take nothing but types from it', () => {
  const wrong = imports.filter(
    ({ file, from, target, typesOnly }) =>
      target === 'vscode' &&
      !typesOnly &&
      (rooms.indexOf(from) <= rooms.indexOf('grants') || (from === 'mcp' && file !== 'mcp/definitions.ts')),
  );
  assert.deepEqual(wrong.map(described), []);
});

test('what differs from platform to platform is asked for by its common name', () => {
  const wrong = imports.filter(
    ({ from, target, specifier }) =>
      target === 'platform' && from !== 'platform' && !specifier.startsWith('#platform/'),
  );
  assert.deepEqual(wrong.map(described), []);
});

function importsOf(file: string): Import[] {
  const text = readFileSync(join(source, file), 'utf8');
  const found = text.matchAll(/^(?:import|export)\s+(type\s)?(?:[^;']*?from\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm);
  return [...found].map((match) => {
    const specifier = match[2] ?? match[3] ?? '';
    return {
      file,
      from: roomOf(file),
      specifier,
      target: targetOf(file, specifier),
      typesOnly: match[1] !== undefined,
    };
  });
}

function targetOf(file: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) {
    return roomOf(posix.join(posix.dirname(file), specifier));
  }
  return specifier.startsWith('#platform/') ? 'platform' : specifier === 'vscode' ? 'vscode' : undefined;
}

function roomOf(file: string): string {
  const [first = ''] = file.split('/');
  return first === 'node' || first === 'browser' ? 'platform' : first.replace(/\.ts$/, '');
}

function described({ file, specifier }: Import): string {
  return `${file} imports ${specifier}`;
}
