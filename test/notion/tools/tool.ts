import type { Directory, User, Workspace } from '../directory.ts';
import type { Profile } from '../profile.ts';

/** Who calls a tool, and what the tools share. */
export interface ToolContext {
  user: User;
  workspace: Workspace;
  directory: Directory;
  profile: Profile;
  nowMs: () => number;
  /** The asynchronous tasks by id: their results, and for how many more polls they are running. */
  tasks: Map<string, { result: object; polls: number }>;
}

export type ToolArguments = Record<string, unknown>;

export interface Tool {
  /** The name with the prefix `notion-`. */
  name: string;
  description: string;
  inputSchema: { type: 'object'; properties: Record<string, object>; required?: string[] };
  /** The tool's JSON. @throws ToolError */
  call(args: ToolArguments, context: ToolContext): object;
}

/** The error of a tool, with one of Notion's codes. */
export class ToolError extends Error {
  readonly code: string;
  /** Further members of the error. */
  readonly details: Record<string, unknown>;

  constructor(code: string, message: string, details: Record<string, unknown> = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** An argument that has to be a string. @throws ToolError */
export function text(args: ToolArguments, name: string): string {
  const value = args[name];
  if (typeof value !== 'string' || value === '') {
    throw new ToolError('validation_error', `body.${name} should be a non-empty string.`);
  }
  return value;
}

/** The address of a page or database. */
export function urlOf(id: string): string {
  return `https://www.notion.so/${compact(id)}`;
}

/** The id at the end of a URL or an id, with or without dashes, as 32 hexadecimal digits; undefined if there is none. */
export function idIn(reference: string): string | undefined {
  return /[0-9a-f]{32}(?=$|[?#])/i.exec(compact(reference))?.[0].toLowerCase();
}

/** Whether two ids or URLs name the same page, database or data source. */
export function isSame(id: string, reference: string): boolean {
  return compact(id) === idIn(reference);
}

function compact(id: string): string {
  return id.replaceAll('-', '');
}
