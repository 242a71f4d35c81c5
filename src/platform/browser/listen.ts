import type { Listen } from '../contract.ts';

/** A web worker cannot listen. */
export const listen: Listen | undefined = undefined;
