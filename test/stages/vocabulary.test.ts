import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findWords, readEntries } from './vocabulary.mjs';

const entries = readEntries('# A comment -> with an arrow\n\nold cat, old cats -> cat\ndog -> hound\n');
const found = (line: string): string[] => findWords(line, entries).map(({ word }) => word);

test('the vocabulary check reads each word and phrase with its replacement, and skips comments', () => {
  assert.deepEqual(entries, [
    { word: 'old cat', term: 'cat' },
    { word: 'old cats', term: 'cat' },
    { word: 'dog', term: 'hound' },
  ]);
});

test('the vocabulary check finds words in prose, in identifiers and in paths', () => {
  assert.deepEqual(found('The Old Cat sleeps.'), ['old cat']);
  assert.deepEqual(found('const isDogHungry = feed(oldCats);'), ['old cats', 'dog']);
  assert.deepEqual(found('src/pets/dog.ts'), ['dog']);
});

test('the vocabulary check does not find words inside other words', () => {
  assert.deepEqual(found('dogma, hotdog, bold cat'), []);
});
