import { fileURLToPath } from 'node:url';

/** The folder whose node_modules hold the programs of Claude and Codex. Copilot's comes with the editor. */
export const sdkFolder = fileURLToPath(new URL('host', import.meta.url));

/** The folder whose node_modules hold the other agents of terminals. */
export const programsFolder = fileURLToPath(new URL('programs', import.meta.url));
