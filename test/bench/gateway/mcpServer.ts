import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

// An MCP server that does as little as possible: every request gets the same result, as JSON or, with the argument
// `events`, as an event stream.
const events = process.argv[2] === 'events';
const result = { content: [{ type: 'text', text: 'x'.repeat(1_000) }] };
const initialized = {
  protocolVersion: '2025-06-18',
  capabilities: { tools: {} },
  serverInfo: { name: 'bench', version: '1' },
};

const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => {
    body += chunk;
  });
  request.on('end', () => {
    if (request.method !== 'POST') {
      response.writeHead(405).end();
      return;
    }
    const { id, method } = JSON.parse(body) as { id?: unknown; method: string };
    if (id === undefined) {
      response.writeHead(202).end();
      return;
    }
    const message = JSON.stringify({ jsonrpc: '2.0', id, result: method === 'initialize' ? initialized : result });
    if (events) {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`event: message\ndata: ${message}\n\n`);
      response.end();
      return;
    }
    const length = Buffer.byteLength(message);
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': length }).end(message);
  });
});
server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp` }));
});
