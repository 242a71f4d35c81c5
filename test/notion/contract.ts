import { authorizationContract } from './authorizationContract.ts';
import { toolContract } from './toolContract.ts';

/** What is known of Notion's server, and the tests that the Notion-shaped server is like it. */
export const contract = [...authorizationContract, ...toolContract] as const;

/** The name of a shape in the contract. */
export type Shape = (typeof contract)[number]['shape'];
