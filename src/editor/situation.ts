import { type Extension, ExtensionKind, env, UIKind } from 'vscode';
import { listen } from '#platform/listen';
import type { Situation } from '../signIn/channels.ts';
import { configuredClientId, signInChannel } from './settings.ts';

/** Where this extension runs now, as far as it decides how the browser's answer can come back. */
export function situation(extension: Extension<unknown>): Situation {
  const beside = extension.extensionKind === ExtensionKind.UI ? 'ui' : 'workspace';
  return {
    host: listen === undefined ? 'webWorker' : beside,
    remote: env.remoteName !== undefined,
    web: env.uiKind === UIKind.Web,
    portableOnWindows: isPortableOnWindows(),
    clientConfigured: configuredClientId() !== undefined,
    setting: signInChannel(),
  };
}

/** The editor says so to its processes; a web worker has none. */
function isPortableOnWindows(): boolean {
  return typeof process !== 'undefined' && process.platform === 'win32' && process.env?.VSCODE_PORTABLE !== undefined;
}
