import type { HostProcess } from '../contract.ts';

export const hostProcess: HostProcess | undefined = {
  nodeVersion: process.versions.node,
  system: process.platform,
  architecture: process.arch,
  environment: (name) => process.env[name],
};
