import type { Listen } from '../node/listen.ts';

/** A web worker cannot listen. */
export const listen: Listen | undefined = undefined;
