// A window in a process of its own, which a test can kill: node windowProgram.ts <home> <URL of the MCP server>
import { openGateway } from '../../gateway/gatewayUnderTest.ts';
import { ListenerUnderTest } from '../listenerUnderTest.ts';
import { account } from './bridgeProcess.ts';

const [, , home = '', serverUrl = ''] = process.argv;
const endless = { after: () => undefined };
const { gateway, accounts } = await openGateway(endless, serverUrl);
const grants = [...accounts.grants.values()].map((grant) =>
  Object.assign(grant, { serverNames: { handle: account, title: 'Engineering Wiki' } }),
);
const { listener } = new ListenerUnderTest(endless, home, { grants, gateway: async () => gateway });
listener.update();
await listener.settled();
console.log('listening');
