import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { files } from '#platform/files';
import { listenSocket } from '#platform/listenSocket';
import { errorInfo } from '../core/errorInfo.ts';
import { limitFiles } from '../storage/timeLimits.ts';
import { BridgeListener } from './bridgeListener.ts';
import { cachePath } from './cachePath.ts';
import { Consent } from './consent.ts';
import type { BridgeCommand, CreateAgents } from './contract.ts';
import { installBridge } from './installBridge.ts';
import { keyedHash } from './keyedHash.ts';

/** Serves bridges from this window, on the platform's own files and sockets. */
export const createAgents: CreateAgents = (parts) => {
  if (files === undefined) {
    return undefined;
  }
  const { directory, host, log } = parts;
  const { XDG_RUNTIME_DIR: runtimeDirectory, PATH: searchPath = '' } = process.env;
  const { platform: system, execPath: executable } = process;
  const temporaryDirectories = [...(runtimeDirectory ? [runtimeDirectory] : []), tmpdir()];
  const consent = new Consent({ ...parts, hash: keyedHash, files: limitFiles(files, parts.clock) });
  const listener = new BridgeListener({ ...parts, consent, files, listen: listenSocket, system, temporaryDirectories });
  const options = { ...parts, files, system, executable, searchPath };
  const install = async (): Promise<BridgeCommand | undefined> => {
    // In a remote window, agent hosts run on the remote side.
    if (host.host === 'ui' && host.remote) {
      log.info('Agent hosts cannot use Notion’s tools here: they run on the remote side, and this extension does not.');
      return undefined;
    }
    try {
      return await installBridge(options);
    } catch (error) {
      log.warn('The bridge could not be installed, so agent hosts cannot use Notion’s tools.', errorInfo(error));
      return undefined;
    }
  };
  let installing: Promise<BridgeCommand | undefined> | undefined;
  return {
    consent,
    bridgeCommand: () => {
      installing ??= install();
      return installing;
    },
    update: () => listener.update(),
    forget: async (removed, remaining) => {
      const handles = new Set(remaining.map(({ serverNames }) => serverNames?.handle));
      for (const { serverNames, accountId } of removed) {
        if (serverNames !== undefined && !handles.has(serverNames.handle)) {
          await rm(await cachePath(directory, serverNames.handle), { force: true });
          const successor = remaining.find((grant) => grant.accountId !== undefined && grant.accountId === accountId);
          if (successor?.serverNames !== undefined) {
            await consent.carryOver(serverNames.handle, successor.serverNames.handle);
          }
        }
      }
    },
    close: async () => {
      consent.dispose();
      await listener.close();
    },
  };
};
