/** Types for the parts of `express` that `mcpAuthRouter.ts` uses; the package has none. */
declare module 'express' {
  import type { RequestListener } from 'node:http';

  interface App extends RequestListener {
    use(handler: unknown): void;
    post(path: string, guard: unknown, handler: (request: unknown, response: express.Response) => void): void;
  }

  function express(): App;

  namespace express {
    interface Response {
      json(body: object): void;
      redirect(url: string): void;
    }
  }

  export default express;
}
