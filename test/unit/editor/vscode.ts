import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import type * as vscode from 'vscode';
import { Queue } from '../../e2e/driver/queue.ts';

/**
 * Stands in for the editor's API where the real editor cannot be made to wait, fail or be cancelled on demand;
 * `test/editor` and `test/e2e` run the same code in a real VS Code. It has the parts that the tested files use, and
 * behaves as `vscode.d.ts` documents them. After this module was imported, `import('…')` of those files finds it.
 */
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'vscode' ? { url: import.meta.url, shortCircuit: true } : next(specifier, context),
});

/** A message or quick pick on the screen, until the user picks one of its choices. */
export interface Question {
  /** Such as `warning: Sign out of Ada? [Sign Out]`, or `modal warning: …` */
  text: string;
  /** Each text on it, also those that `text` leaves out. */
  parts: readonly string[];
  /** Picks the choice with this label; without one, closes the question. */
  pick: (label?: string) => void;
}

export interface ShownProgress {
  title: string | undefined;
  reports: string[];
  closed: Promise<unknown>;
  /** Clicks Cancel. */
  cancel: () => void;
}

export class EventEmitter<T> implements vscode.EventEmitter<T> {
  readonly #listeners = new Set<(event: T) => unknown>();

  readonly event = (listener: (event: T) => unknown): { dispose(): void } => {
    this.#listeners.add(listener);
    return { dispose: () => this.#listeners.delete(listener) };
  };

  fire(event: T): void {
    for (const listener of this.#listeners) {
      listener(event);
    }
  }

  dispose(): void {
    this.#listeners.clear();
  }
}

/** The editor of one test: what it shows, oldest first, and what its user does. */
export class Editor {
  readonly messages = new Queue<Question>();
  readonly quickPicks = new Queue<Question>();
  readonly progress = new Queue<ShownProgress>();
  /** The commands that were executed, with their arguments. */
  readonly executed = new Queue<string>();
  readonly commands = new Map<string, (...args: unknown[]) => unknown>();
  /** The items that are shown in the status bar. */
  readonly statusBar = new Set<vscode.StatusBarItem>();
  readonly settings = new Map<string, unknown>();
  /** Whether the editor's only window has the focus. */
  isFocused = true;
  readonly focusChanges = new EventEmitter<{ focused: boolean }>();
  readonly openedUrls: unknown[] = [];
  clipboard = '';
}

let editor = new Editor();

/** Opens a new editor, which the API then belongs to. */
export function openEditor(): Editor {
  editor = new Editor();
  return editor;
}

/** A `Memento` that lasts as long as the test. */
export class MemoryMemento implements vscode.Memento {
  readonly #values = new Map<string, unknown>();

  keys(): readonly string[] {
    return [...this.#values.keys()];
  }

  get<T>(key: string): T | undefined;
  get<T>(key: string, defaultValue: T): T;
  get<T>(key: string, defaultValue?: T): T | undefined {
    return this.#values.has(key) ? (this.#values.get(key) as T) : defaultValue;
  }

  async update(key: string, value: unknown): Promise<void> {
    this.#values.set(key, value);
  }
}

export class CancellationError extends Error {}

export class ThemeColor {
  readonly id: string;
  constructor(id: string) {
    this.id = id;
  }
}

export class ThemeIcon {
  readonly id: string;
  constructor(id: string) {
    this.id = id;
  }
}

export class Uri {
  readonly text: string;
  private constructor(text: string) {
    this.text = text;
  }
  static parse(text: string): Uri {
    return new Uri(text);
  }
  toString(): string {
    return this.text;
  }
}

export class TabInputTextDiff {}

export const ExtensionKind = { UI: 1, Workspace: 2 };
export const QuickPickItemKind = { Separator: -1, Default: 0 };
export const UIKind = { Desktop: 1, Web: 2 };
export const StatusBarAlignment = { Left: 1, Right: 2 };
export const ProgressLocation = { SourceControl: 1, Window: 10, Notification: 15 };
export const ConfigurationTarget = { Global: 1, Workspace: 2, WorkspaceFolder: 3 };

export const l10n = {
  t(message: string | { message: string; args?: object }, ...rest: unknown[]): string {
    const [text, args = rest] = typeof message === 'string' ? [message] : [message.message, message.args];
    const values = new Map<string, unknown>(Object.entries(args));
    return text.replace(/\{(\w+)\}/g, (placeholder, name) => String(values.get(name) ?? placeholder));
  },
};

export const env = {
  appName: 'VS Code',
  language: 'en',
  clipboard: {
    async writeText(text: string): Promise<void> {
      editor.clipboard = text;
    },
  },
  async openExternal(target: unknown): Promise<boolean> {
    editor.openedUrls.push(target);
    return true;
  },
};

export const commands = {
  registerCommand(command: string, callback: (...args: unknown[]) => unknown) {
    assert.ok(!editor.commands.has(command), `command '${command}' already exists`);
    editor.commands.set(command, callback);
    return { dispose: () => editor.commands.delete(command) };
  },
  async getCommands(): Promise<string[]> {
    return [...editor.commands.keys()];
  },
  async executeCommand(command: string, ...args: unknown[]): Promise<unknown> {
    editor.executed.put([command, ...args].join(' '));
    return editor.commands.get(command)?.(...args);
  },
};

/** What Cursor adds, without its API for MCP servers until a test sets it. */
export const cursor: { mcp?: object } = {};

/** An editor with chat. */
export const lm = { registerMcpServerDefinitionProvider: () => ({ dispose: () => undefined }) };

export const workspace = {
  getConfiguration(section: string) {
    return {
      get: (name: string, defaultValue: unknown) => editor.settings.get(`${section}.${name}`) ?? defaultValue,
    };
  },
};

type MessageItems = (string | vscode.MessageOptions)[];

export const window = {
  get state() {
    return { focused: editor.isFocused };
  },
  onDidChangeWindowState: (listener: (state: { focused: boolean }) => unknown) => editor.focusChanges.event(listener),

  showErrorMessage: (message: string, ...items: MessageItems) => showMessage('error', message, items),
  showWarningMessage: (message: string, ...items: MessageItems) => showMessage('warning', message, items),
  showInformationMessage: (message: string, ...items: MessageItems) => showMessage('information', message, items),

  async showQuickPick(
    items: readonly vscode.QuickPickItem[],
    { title = '', placeHolder = '' }: vscode.QuickPickOptions,
  ) {
    const label = await ask(
      editor.quickPicks,
      title,
      items.map((item) => item.label),
      [placeHolder, ...items.flatMap(({ description = '', detail = '' }) => [description, detail])],
    );
    return items.find((item) => item.label === label);
  },

  /** The user picks one entry and accepts, or hides the list. */
  createQuickPick() {
    const selection = new EventEmitter<readonly vscode.QuickPickItem[]>();
    const acceptance = new EventEmitter<void>();
    const hiding = new EventEmitter<void>();
    const list = {
      ...{ title: '', placeholder: '', items: [], selectedItems: [] },
      onDidChangeSelection: selection.event,
      onDidAccept: acceptance.event,
      onDidHide: hiding.event,
      show: () => void shown(),
      dispose: () => undefined,
    } as Pick<vscode.QuickPick<vscode.QuickPickItem>, 'items' | 'selectedItems'> & {
      title: string;
      placeholder: string;
    };
    const shown = async (): Promise<void> => {
      const { title, items, placeholder } = list;
      const label = await ask(
        editor.quickPicks,
        title,
        items.map((item) => item.label),
        [placeholder, ...items.flatMap(({ description = '', detail = '' }) => [description, detail])],
      );
      if (label === undefined) {
        hiding.fire();
        return;
      }
      list.selectedItems = items.filter((item) => item.label === label);
      selection.fire(list.selectedItems);
      acceptance.fire();
    };
    return list;
  },

  async withProgress<T>(
    { title }: vscode.ProgressOptions,
    task: (progress: vscode.Progress<{ message?: string }>, token: vscode.CancellationToken) => Thenable<T>,
  ): Promise<T> {
    const cancellation = new EventEmitter<unknown>();
    const token = { isCancellationRequested: false, onCancellationRequested: cancellation.event };
    const reports: string[] = [];
    const working = task({ report: ({ message = '' }) => void reports.push(message) }, token);
    editor.progress.put({
      title,
      reports,
      closed: Promise.allSettled([working]),
      cancel: () => {
        token.isCancellationRequested = true;
        cancellation.fire(undefined);
      },
    });
    return working;
  },

  createStatusBarItem(id: string, alignment: vscode.StatusBarAlignment): vscode.StatusBarItem {
    const item = { id, alignment } as vscode.StatusBarItem;
    const hide = () => void editor.statusBar.delete(item);
    return Object.assign(item, { show: () => void editor.statusBar.add(item), hide, dispose: hide });
  },
};

function showMessage(severity: string, message: string, items: MessageItems): Promise<string | undefined> {
  const buttons = items.filter((item) => typeof item === 'string');
  const options = items.find((item) => typeof item !== 'string');
  const kind = options?.modal ? `modal ${severity}` : severity;
  const { detail = '' } = options ?? {};
  return ask(editor.messages, `${kind}: ${[message, detail].filter(Boolean).join(' ')}`, buttons, [message, detail]);
}

/** Shows a question with choices; resolves to the one that the user picks, or to `undefined` when it is closed. */
function ask(
  queue: Queue<Question>,
  text: string,
  choices: readonly string[],
  parts: readonly string[],
): Promise<string | undefined> {
  return new Promise((resolve) => {
    queue.put({
      parts: [text, ...parts, ...choices],
      text: [text, ...choices.map((choice) => `[${choice}]`)].join(' '),
      pick: (label) => {
        assert.ok(label === undefined || choices.includes(label), `${text} has no choice ${label}`);
        resolve(label);
      },
    });
  });
}
