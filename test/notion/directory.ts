/** A user who can allow access. */
export interface User {
  id: string;
  name: string;
  email?: string;
}

export interface Comment {
  id: string;
  /** The id of the user who wrote it. */
  user: string;
  createdAt: string;
  text: string;
}

/** A page. A page with a `dataSource` is a row of its database. */
export interface Page {
  id: string;
  title: string;
  /** An emoji. */
  icon?: string;
  /** In Notion's markdown; empty for a blank page. */
  text: string;
  /** The id of the page above this one. */
  parent?: string;
  dataSource?: string;
  /** The values of a row, without its title. */
  properties?: Record<string, string>;
  lastEditedAt: string;
  comments: Comment[];
}

/** A database with one data source. */
export interface Database {
  id: string;
  dataSource: string;
  title: string;
  parent?: string;
  /** The type of each property. */
  schema: Record<string, string>;
}

export interface Workspace {
  id: string;
  name: string;
  pages: Page[];
  databases: Database[];
}

/** The access to a tool, as Notion reports it. */
export interface ToolAccess {
  status: string;
  upgrade_url?: string;
}

/** All users and workspaces of the server. */
export interface Directory {
  users: User[];
  workspaces: Workspace[];
  /** The access to tools, by base name. */
  toolAccess: Record<string, ToolAccess>;
}
