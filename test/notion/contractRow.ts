import type { Profile } from './profile.ts';

/** One shape in which the Notion-shaped server responds. */
export interface ContractRow {
  shape: string;
  /** `assumed`: there is no source for the shape, only for the fact behind it, if any. */
  kind: 'documented' | 'reported' | 'assumed';
  /** A page of developers.notion.com, an issue on GitHub, or `reported` for what clients recorded elsewhere. */
  source: string;
  /** The title of the test in this folder that holds the shape. */
  test: string;
  /** The settings that change the shape. */
  profile?: readonly (keyof Profile)[];
}
