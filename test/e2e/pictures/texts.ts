import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Returns a text of the extension as the editor shows it, by its English original: `('Signed out of {0}.', 'Ada')`. */
export type Texts = (english: string, ...values: string[]) => string;

/** The texts that the extension ships. They throw an AssertionError for a text that it does not have. */
export function shippedTexts({ isGerman }: { isGerman: boolean }): Texts {
  const sentences = Object.entries(json('media/l10n/bundle.l10n.de.json')).map(
    // A comment for translators follows the text after a slash, and begins with a capital letter or what it explains.
    ([key, german]) => [key.replace(/\/[“{\p{Lu}].*$/u, ''), german] as const,
  );
  const contributed = Object.entries(json('package.nls.json')).map(
    ([key, english]) => [english, json('package.nls.de.json')[key] ?? assert.fail(key)] as const,
  );
  const germanByEnglish = new Map([...contributed, ...sentences]);
  return (english, ...values) => {
    const german = germanByEnglish.get(english) ?? assert.fail(`The extension has no text “${english}”.`);
    return (isGerman ? german : english).replace(
      /\{(\d)\}/g,
      (placeholder, index) => values[Number(index)] ?? placeholder,
    );
  };
}

function json(path: string): Record<string, string> {
  return JSON.parse(readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), 'utf8'));
}
