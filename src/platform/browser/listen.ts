import type { Listen } from '../contract.ts';

/** A web worker cannot listen on a port. */
export const listen: Listen | undefined = undefined;
