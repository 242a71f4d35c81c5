import type { CreateAgents } from './contract.ts';

/** A web worker can neither listen nor start a process. package.json picks this file there. */
export const createAgents: CreateAgents = () => undefined;
