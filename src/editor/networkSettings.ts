import { type Disposable, workspace } from 'vscode';

/** `http.fetchAdditionalSupport` of the editor: whether its proxy and certificates apply to the `fetch` of extensions. */
export function isFetchSupported(): boolean {
  return workspace.getConfiguration('http').get<boolean>('fetchAdditionalSupport', true);
}

/** Calls `changed` when a network setting of the editor (`http.…`) has changed. */
export function onNetworkSettingsChange(changed: () => void): Disposable {
  return workspace.onDidChangeConfiguration((event) => {
    if (event.affectsConfiguration('http')) {
      changed();
    }
  });
}
