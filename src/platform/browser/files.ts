import type { Files } from '../contract.ts';

/** A web worker has no disk of its own. */
export const files: Files | undefined = undefined;
