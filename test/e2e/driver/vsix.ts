import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import manifest from '../../../package.json' with { type: 'json' };

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** The folder for the packages of the test extensions, which `prepare.ts` creates. */
export const vsixFolder = join(root, 'artefacts', 'vsix');
/** The package of the extension itself, which `npm run package` creates. */
export const extensionVsix = join(root, `${manifest.name}-${manifest.version}.vsix`);
/** The test extension that requests sessions; see test/editor/consumer. */
export const consumerVsix = join(vsixFolder, 'session-consumer.vsix');
/** The test extension for the driver's own tests; see test/e2e/fixture. */
export const fixtureVsix = join(vsixFolder, 'driver-fixture.vsix');
/** The example for authors of extensions; see test/editor/notes. */
export const notesVsix = join(vsixFolder, 'notion-notes.vsix');
