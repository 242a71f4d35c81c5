import type { Files } from '../contract.ts';

/** A web worker has no access to the disk. */
export const files: Files | undefined = undefined;
