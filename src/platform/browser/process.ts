import type { HostProcess } from '../contract.ts';

/** A web worker has no process. */
export const hostProcess: HostProcess | undefined = undefined;
