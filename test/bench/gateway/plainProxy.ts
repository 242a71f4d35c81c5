import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';

// A minimal reverse proxy with undici: it streams in both directions and changes nothing but the authorization header.
const upstream = new URL(process.argv[2] ?? '');
const pool = new Pool(upstream.origin);

const server = createServer((request, response) => {
  const { method = 'GET', headers } = request;
  const { connection: _, host: __, ...kept } = headers;
  pool.stream(
    {
      path: upstream.pathname,
      method,
      headers: { ...kept, authorization: 'Bearer token' },
      body: request,
      opaque: response,
    },
    ({ statusCode, headers, opaque }) => opaque.writeHead(statusCode, headers),
    (error) => error && response.destroy(),
  );
});
server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1', () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  console.log(JSON.stringify({ url, authorization: 'Bearer secret' }));
});
