import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import manifest from '../../../package.json' with { type: 'json' };

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** Where `prepare.ts` puts the extensions of the tests. */
export const vsixFolder = join(root, 'artefacts', 'vsix');
/** The extension itself, as `npm run package` makes it. */
export const extensionVsix = join(root, `${manifest.name}-${manifest.version}.vsix`);
/** The extension that asks for sessions; see test/editor/consumer. */
export const consumerVsix = join(vsixFolder, 'session-consumer.vsix');
/** The extension that shows one of everything; see test/e2e/fixture. */
export const fixtureVsix = join(vsixFolder, 'driver-fixture.vsix');
