import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** The name of the animated picture of a sign-in. */
export const animationName = 'sign-in';

/** The path of a picture that is shipped with the extension. */
export function shippedPath(name: string): string {
  return join(root, 'media/pictures', `${name}.png`);
}

/** The names of the pictures that README and walkthrough show, which `npm run pictures` takes. */
export function mentionedPictures(): string[] {
  const walkthrough = readdirSync(join(root, 'media/walkthrough')).map((name) => join('media/walkthrough', name));
  const texts = ['README.md', 'package.json', ...walkthrough].map((path) => readFileSync(join(root, path), 'utf8'));
  const names = texts.flatMap((text) =>
    [...text.matchAll(/(?:media|\.\.)\/pictures\/([\w-]+)\.png/g)].map(([, name = '']) => name),
  );
  return [...new Set(names)];
}

/** The names of the picture files that exist. */
export function shippedPictures(): string[] {
  const folder = join(root, 'media/pictures');
  return existsSync(folder) ? readdirSync(folder).map((name) => name.replace(/\.png$/, '')) : [];
}
