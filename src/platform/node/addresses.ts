import { networkInterfaces } from 'node:os';

/** The addresses of this computer in its networks. Link-local ones come and go with every virtual interface. */
export function ownAddresses(): ReadonlySet<string> {
  const all = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses);
  return new Set(
    all
      .filter(({ internal, address }) => !internal && !/^(fe80:|169\.254\.)/.test(address))
      .map(({ address }) => address),
  );
}
