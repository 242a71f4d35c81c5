import { bridgeProperties } from './bridgeProperties.ts';
import { callbackProperties } from './callbackProperties.ts';
import { clientProperties } from './clientProperties.ts';
import { displayProperties } from './displayProperties.ts';
import type { Property } from './property.ts';
import { responseProperties } from './responseProperties.ts';
import { textProperties } from './textProperties.ts';
import { toolProperties } from './toolProperties.ts';
import { wireProperties } from './wireProperties.ts';

export const properties: readonly Property[] = [
  ...callbackProperties,
  ...textProperties,
  ...displayProperties,
  ...responseProperties,
  ...toolProperties,
  ...clientProperties,
  ...wireProperties,
  ...bridgeProperties,
];
