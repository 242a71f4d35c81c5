// node test/stages/vocabulary.mjs [folder or file …]: finds the words of vocabulary.txt in all files that git knows, or
// in those that are named, and fails if there are any.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const list = 'test/stages/vocabulary.txt';
const checked = /\.(ts|mjs|js|json|md|html|yml)$/;
/** Not ours to word, or in another language. */
const left = /(^|\/)package-lock\.json$|^media\/l10n\/|^package\.nls\.\w+\.json$/;

/**
 * Every word and phrase of the list with the term that replaces it.
 * @param {string} text
 * @returns {{ word: string, term: string }[]}
 */
export function readEntries(text) {
  return text
    .split('\n')
    .filter((line) => line.includes('->') && !line.startsWith('#'))
    .flatMap((line) => {
      const [words = '', term = ''] = line.split('->');
      return words.split(',').map((word) => ({ word: word.trim(), term: term.trim() }));
    });
}

/**
 * The entries that a line of text, or a path, holds. An identifier counts as its words.
 * @param {string} line
 * @param {{ word: string, term: string }[]} entries
 */
export function findWords(line, entries) {
  const words = line.replace(/([a-z\d])(?=[A-Z])/g, '$1 ').toLowerCase();
  return entries.filter(({ word }) => new RegExp(`(?<![a-z])${word}(?![a-z])`).test(words));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const entries = readEntries(readFileSync(`${root}${list}`, 'utf8'));
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '--', ...process.argv.slice(2)], {
    cwd: root,
    encoding: 'utf8',
  })
    .split('\n')
    .filter((file) => checked.test(file) && !left.test(file) && existsSync(`${root}${file}`));
  let found = 0;
  for (const file of files) {
    for (const [index, line] of [file, ...readFileSync(`${root}${file}`, 'utf8').split('\n')].entries()) {
      for (const { word, term } of findWords(line, entries)) {
        found += 1;
        console.log(`${file}:${index}: "${word}" -> ${term}`);
      }
    }
  }
  console.log(`${found} old words in ${files.length} files`);
  process.exitCode = found === 0 ? 0 : 1;
}
