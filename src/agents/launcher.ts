/** What the launcher tries, and what it starts. All paths are absolute. */
export interface LauncherOptions {
  /** Programs that run JavaScript as Node does, best first. */
  executables: readonly string[];
  bridgeFile: string;
  /** The journal's directory. */
  directory: string;
  /** The editor's name, for sentences. */
  editor: string;
}

/**
 * The text of the script that starts the bridge on Unix. Agents keep its path and start it with hardly any environment,
 * also when the editor that wrote it has moved or is gone; so it looks for a program that is there.
 */
export function launcherText({ executables, bridgeFile, directory, editor }: LauncherOptions): string {
  const start = `${quoted(bridgeFile)} --directory ${quoted(directory)} "$@"`;
  return [
    '#!/bin/sh',
    '# Starts an MCP server with Notion’s tools. The editor’s Notion extension writes this file.',
    'export ELECTRON_RUN_AS_NODE=1',
    `export NOTION_MCP_EDITOR=${quoted(editor)}`,
    '# A debugger that the editor attaches to the programs of its terminals would write to the output.',
    'unset NODE_OPTIONS',
    ...executables.map(quoted).map((program) => `[ -f ${program} ] && [ -x ${program} ] && exec ${program} ${start}`),
    `printf '%s\\n' ${quoted(`Notion’s tools cannot start: ${editor} was moved or removed. Open it once, then try again.`)} >&2`,
    'exit 1',
    '',
  ].join('\n');
}

/** A word of the shell that stands for the text itself, whatever is in it (POSIX, Shell Command Language 2.2.2). */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * The path at which an executable can still be found after an update (microsoft/vscode#204907). @returns undefined for
 * an AppImage, whose files are mounted only while it runs
 */
export function stablePath(executable: string): string | undefined {
  return /\/\.mount_[^/]+\//.test(executable)
    ? undefined
    : executable.replace(/^((?:\/var\/lib\/snapd)?\/snap\/[^/]+)\/[^/]+\//, '$1/current/');
}
