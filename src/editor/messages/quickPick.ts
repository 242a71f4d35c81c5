import { type QuickPickItem, QuickPickItemKind, ThemeIcon, window } from 'vscode';
import type { DisplayText } from '../../core/displayText.ts';

/** An entry of a quick pick. The editor renders icons in its texts, so an icon of our own is named apart from them. */
export interface Choice {
  label: DisplayText;
  icon?: string;
  description?: DisplayText;
  detail?: DisplayText;
}

/** Separates the entries above it from those below it. */
export const separator = Symbol('separator');

export interface PickOptions {
  title: DisplayText;
  placeHolder: DisplayText;
  /** Whether what the user types is looked for in the details, too. */
  matchOnDetail?: boolean;
  /** Whether the list stays while the user looks at something else in the window. */
  ignoreFocusOut?: boolean;
}

/** Lets the user pick an entry; resolves to undefined if they close the list. */
export async function pick<T extends Choice>(
  choices: readonly (T | typeof separator)[],
  options: PickOptions,
): Promise<T | undefined> {
  const items = choices.map((choice) =>
    choice === separator ? { label: '', kind: QuickPickItemKind.Separator } : itemOf<T>(choice),
  );
  return (await window.showQuickPick<(typeof items)[number] & { choice?: T }>(items, options))?.choice;
}

/**
 * Lets the user check several entries, or pick the `last` one at once instead. Resolves to undefined if they close the
 * list, and if they accept it with nothing checked.
 */
export async function pickSeveral<T extends Choice>(
  choices: readonly (T & { isChecked: boolean })[],
  last: T,
  { title, placeHolder }: PickOptions,
): Promise<T[] | undefined> {
  const list = window.createQuickPick<QuickPickItem & { choice?: T }>();
  const lastItem = itemOf(last);
  const items = choices.map((choice) => ({ isChecked: choice.isChecked, item: itemOf<T>(choice) }));
  const separation = { label: '', kind: QuickPickItemKind.Separator };
  Object.assign(list, {
    ...{ title, placeholder: placeHolder, canSelectMany: true, ignoreFocusOut: true },
    items: [...items.map(({ item }) => item), separation, lastItem],
    selectedItems: items.filter(({ isChecked }) => isChecked).map(({ item }) => item),
  });
  try {
    return await new Promise((resolve) => {
      let checked = items.filter(({ isChecked }) => isChecked).length;
      list.onDidChangeSelection((selected) => {
        const others = selected.filter((item) => item !== lastItem);
        if (others.length < selected.length && others.length <= checked) {
          resolve([last]);
        } else if (others.length < selected.length) {
          // The user has checked all of the list at once.
          list.selectedItems = others;
        }
        checked = others.length;
      });
      list.onDidAccept(() => {
        const picked = list.selectedItems.flatMap(({ choice }) => (choice === undefined ? [] : [choice]));
        resolve(picked.length === 0 ? undefined : picked);
      });
      list.onDidHide(() => resolve(undefined));
      list.show();
    });
  } finally {
    list.dispose();
  }
}

function itemOf<T extends Choice>(choice: T): QuickPickItem & { choice: T } {
  const { label, icon, description, detail } = choice;
  return {
    label,
    ...(icon !== undefined && { iconPath: new ThemeIcon(icon) }),
    ...(description !== undefined && { description }),
    ...(detail !== undefined && { detail }),
    choice,
  };
}
