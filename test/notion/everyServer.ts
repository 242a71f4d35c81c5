import type { NotionServer } from './server.ts';

/** Every Notion-shaped server that this process has started, for whoever looks for what they issued. */
export const everyServer: NotionServer[] = [];
