import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { extensionVsix } from '../e2e/driver/vsix.ts';
import { newestHost } from '../editor/host/hosts.mjs';
import { type Figure, figure } from './figure.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const editorExtensions = join(newestHost.editor, 'extensions');

/** The size of what `npm run package` builds, compared with the editor's own authentication extensions. */
export async function sizeFigures(): Promise<Figure[]> {
  const activation = await kilobytes(join(root, 'dist/extension.cjs'));
  const dist = await kilobytesWithin(join(root, 'dist'));
  const vsix = await kilobytes(extensionVsix);
  const github = await kilobytesWithin(join(editorExtensions, 'github-authentication/dist'));
  const microsoft = await kilobytesWithin(join(editorExtensions, 'microsoft-authentication/dist'));
  return [
    figure('activation bundle vs github-authentication dist', 'KB', activation, github),
    figure('whole dist vs github-authentication dist', 'KB', dist, github),
    figure('whole dist vs microsoft-authentication dist', 'KB', dist, microsoft),
    figure('VSIX (aim: at most 500)', 'KB', vsix, Number.NaN),
  ];
}

async function kilobytes(path: string): Promise<number> {
  return (await stat(path)).size / 1_024;
}

async function kilobytesWithin(directory: string): Promise<number> {
  const names = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile() && !entry.name.endsWith('.map'));
  const sizes = await Promise.all(files.map((entry) => kilobytes(join(entry.parentPath, entry.name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}
