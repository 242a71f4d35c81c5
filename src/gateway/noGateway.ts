import type { OpenGateway } from './contract.ts';

/** A web worker cannot listen. package.json picks this file there, which keeps Node's types out of the web bundle. */
export const openGateway: OpenGateway = async () => undefined;
