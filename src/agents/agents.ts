import { realpath } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { files as platformFiles } from '#platform/files';
import { listenSocket } from '#platform/listenSocket';
import { errorInfo } from '../core/errorInfo.ts';
import { editorAgent } from '../gateway/contract.ts';
import { limitFiles } from '../storage/timeLimits.ts';
import { type BridgeCommand, launchOf } from './bridgeCommand.ts';
import { BridgeListener } from './bridgeListener.ts';
import { agentsDirectory, removeCaches } from './cachePath.ts';
import type { AgentConnector } from './configuration/contract.ts';
import { Consent } from './consent.ts';
import type { CreateAgents } from './contract.ts';
import { type InstalledBridge, installBridge } from './installBridge.ts';
import { keyedHash } from './keyedHash.ts';

/** Serves bridges from this window, on the platform's own files and sockets. */
export const createAgents: CreateAgents = (parts) => {
  const files = platformFiles;
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
  const removeCachesOfRefused = async (): Promise<void> => {
    for (const { serverNames } of parts.accounts()) {
      if (serverNames !== undefined) {
        const { handle } = serverNames;
        const isAllowed = (agent: string) => consent.permission(handle, agent) === 'allowed';
        await removeCaches(files, directory, handle, isAllowed);
      }
    }
  };
  // While no window is open, a bridge cannot know that its agent has lost an account.
  consent.onDidChange(() => {
    removeCachesOfRefused().catch((error: unknown) =>
      log.warn('What an agent was shown could not be removed.', errorInfo(error)),
    );
  });
  let loading: Promise<AgentConnector> | undefined;
  const connections = (): Promise<AgentConnector> => {
    loading ??= import('./configuration/agentConnections.ts').then(async ({ AgentConnections }) => {
      const machine = { home: homedir(), environment: process.env, system };
      // <extensions>/<this extension>/dist/bridge.cjs
      const extensions = dirname(dirname(dirname(await realpath(parts.bridgeFile))));
      return new AgentConnections({
        ...{ ...parts, files, machine, extensions, folder: agentsDirectory(directory) },
        command: bridgeCommand,
      });
    });
    return loading;
  };
  let installing: Promise<InstalledBridge> | undefined;
  const install = (): Promise<InstalledBridge> => {
    installing ??= installBridge(options).then((installed) => {
      // On Windows agents start the editor itself, which may have moved.
      if (system === 'win32') {
        void connections().then((connector) => connector.refresh(installed));
      }
      return installed;
    });
    return installing;
  };
  const bridgeCommand = async (): Promise<BridgeCommand | undefined> => {
    try {
      return await install();
    } catch (error) {
      // A full disk may have room again.
      installing = undefined;
      log.warn('The bridge could not be installed, so agents cannot use Notion’s tools.', errorInfo(error));
      return undefined;
    }
  };
  const commandForHosts = async (): Promise<BridgeCommand | undefined> => {
    // In a remote window, agent hosts run on the remote side.
    if (host.host === 'ui' && host.remote) {
      log.info('Agent hosts cannot use Notion’s tools here: they run on the remote side, and this extension does not.');
      return undefined;
    }
    return bridgeCommand();
  };
  const register = async (): Promise<void> => {
    if (parts.registry !== undefined) {
      await (await connections()).register();
    }
  };
  const isUsedByAgents = (): boolean =>
    parts.accounts().some(({ serverNames }) => {
      const uses = serverNames === undefined ? [] : consent.uses(serverNames.handle);
      return uses.some(({ agent, permission }) => agent !== editorAgent && permission === 'allowed');
    });
  let isUpdated = false;
  let hostCommand: Promise<BridgeCommand | undefined> | undefined;
  return {
    consent,
    bridgeCommand: () => {
      hostCommand ??= commandForHosts();
      return hostCommand;
    },
    launch: async (handle, agent) => {
      const command = await bridgeCommand();
      // Programs outside of a Flatpak have other paths, and cannot start what is in it.
      if (command !== undefined && (process.env.FLATPAK_ID !== undefined || !(await install()).isLasting)) {
        return 'sandboxed';
      }
      return command && launchOf(command, handle, agent);
    },
    connections,
    update: () => {
      listener.update();
      // What agents beside the editor start must be of this version, also where the editor itself starts none.
      if (!isUpdated && isUsedByAgents()) {
        isUpdated = true;
        void bridgeCommand();
      }
      register().catch((error: unknown) => log.warn('The editor did not take an MCP server.', errorInfo(error)));
    },
    forget: async (removed, remaining) => {
      const handles = new Set(remaining.map(({ serverNames }) => serverNames?.handle));
      for (const { serverNames, accountId } of removed) {
        if (serverNames !== undefined && !handles.has(serverNames.handle)) {
          await removeCaches(files, directory, serverNames.handle, () => false);
          const successor = remaining.find((grant) => grant.accountId !== undefined && grant.accountId === accountId);
          if (successor?.serverNames !== undefined) {
            await consent.carryOver(serverNames.handle, successor.serverNames.handle);
          }
        }
      }
    },
    close: async () => {
      consent.dispose();
      await Promise.all([listener.close(), loading?.then((connector) => connector.close())]);
    },
  };
};
